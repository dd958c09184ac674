// An agent with pgx. Run: go run . <statement> …
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
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
	connection, err := pgx.ConnectConfig(ctx, config)
	must(err)
	defer connection.Close(ctx)
	var id int
	var email string
	must(connection.QueryRow(ctx, "select id, email from shop.customers order by id limit 1").Scan(&id, &email))
	fmt.Println("read", id, email)
	for _, statement := range os.Args[1:] {
		tag, err := connection.Exec(ctx, statement)
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
