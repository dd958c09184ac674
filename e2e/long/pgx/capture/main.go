// A short session of pgx, to be captured.
package main

import (
	"context"
	"io"

	"github.com/jackc/pgx/v5"
)

func main() {
	background := context.Background()
	connection, err := pgx.Connect(background, "")
	must(err)
	for _, mode := range []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement,
		pgx.QueryExecModeCacheStatement,
		pgx.QueryExecModeCacheDescribe,
		pgx.QueryExecModeDescribeExec,
		pgx.QueryExecModeExec,
		pgx.QueryExecModeSimpleProtocol,
	} {
		_, err = connection.Exec(background, "select name from items where id = $1", mode, 1)
		must(err)
	}
	tx, err := connection.Begin(background)
	must(err)
	_, _ = tx.Exec(background, "select 1 / $1::int", 0)
	must(tx.Rollback(background))
	batch := &pgx.Batch{}
	batch.Queue("update items set name = $1 where id = $2", "pgx", 1)
	batch.Queue("select count(*) from items")
	must(connection.SendBatch(background, batch).Close())
	_, err = connection.CopyFrom(background, pgx.Identifier{"items"}, []string{"id", "name"},
		pgx.CopyFromRows([][]any{{101, "ä"}, {102, nil}}))
	must(err)
	_, err = connection.PgConn().CopyTo(background, io.Discard, "copy items to stdout")
	must(err)
	must(connection.Close(background))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
