// An agent with pgx. Run: go run . <statement> …
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
)

const ours = "countersign"

func main() {
	ctx := context.Background()
	config, err := pgx.ParseConfig("") // host, port, profile, agent and token come from PGHOST, PGPASSWORD …
	must(err)
	config.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) {
		if notice.SchemaName == ours { // fields: docs/errors.md
			fmt.Println(notice.ConstraintName, "request", notice.TableName, "until", notice.DataTypeName)
		}
	}
	// A context that is over cancels the statement, and the connection stays.
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: time.Minute}
	}
	patience, err := time.ParseDuration(cmp.Or(os.Getenv("PATIENCE_SECONDS"), "3600") + "s")
	must(err)
	connection, err := pgx.ConnectConfig(ctx, config)
	must(err)
	defer connection.Close(ctx)
	var id int
	var email string
	must(connection.QueryRow(ctx, "select id, email from shop.customers order by id limit 1").Scan(&id, &email))
	fmt.Println("read", id, email)
	for _, statement := range os.Args[1:] {
		waiting, done := context.WithTimeout(ctx, patience)
		tag, err := connection.Exec(waiting, statement)
		done()
		var said *pgconn.PgError
		if errors.As(err, &said) && said.SchemaName == ours {
			fmt.Println(said.ConstraintName, said.ColumnName, said.Detail)
			continue
		}
		must(err) // PostgreSQL's own
		fmt.Println("ran", tag.RowsAffected())
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
