// The habits of pgx and its pool; at PostgreSQL and through the proxy it must print the same. One line of JSON for
// each step: its name, and what came back.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

var background = context.Background()

func main() {
	if held := os.Getenv("HELD_DATABASE"); held != "" {
		report("refused", contract(os.Getenv("PGDATABASE"), "grant shop_dev_owner to public"))
		report("denied", contract(held, "update shop.orders set note = 'pgx' where id = 44"))
		return
	}
	steps := []struct {
		name string
		run  func(*pgx.Conn) (any, error)
	}{
		{"notifications", notifications},
		{"types of users", types},
		{"comments", comments},
		{"functions of users", functions},
		{"cursor of expressions", cursor},
		{"large insert", largeInsert},
		{"batch", batch},
		{"copies", copies},
		{"failed portal", failedPortal},
		{"release to a pool", release},
	}
	for _, step := range steps {
		connection, err := pgx.Connect(background, "")
		if err != nil {
			report(step.name, err.Error())
			continue
		}
		value, err := step.run(connection)
		if err != nil {
			value = err.Error()
		}
		report(step.name, value)
		connection.Close(background)
	}
}

func notifications(connection *pgx.Conn) (any, error) {
	for _, sql := range []string{"listen habits", `notify habits, '{"id":7}'`} {
		if _, err := connection.Exec(background, sql); err != nil {
			return nil, err
		}
	}
	soon, cancel := context.WithTimeout(background, 20*time.Second)
	defer cancel()
	heard, err := connection.WaitForNotification(soon)
	if err != nil {
		return nil, err
	}
	return []any{heard.Channel, heard.Payload}, nil
}

// types asks the catalog for an enum, its array and a row type, as pgx does before it uses them.
func types(connection *pgx.Conn) (any, error) {
	loaded, err := connection.LoadTypes(background, []string{"shop.mood", "shop._mood", "shop.spoken"})
	if err != nil {
		return nil, err
	}
	connection.TypeMap().RegisterTypes(loaded)
	heard := []any{len(loaded)}
	for _, mood := range []string{"sad", "happy", "sad"} {
		var one string
		var both []string
		err := connection.QueryRow(background, "select $1::shop.mood, $2::shop.mood[]", mood, []string{mood, "sad"}).Scan(&one, &both)
		if err != nil {
			return nil, err
		}
		heard = append(heard, one, both)
	}
	return heard, nil
}

func comments(connection *pgx.Conn) (any, error) {
	heard := []int{}
	for n := range 8 {
		var one int
		sql := fmt.Sprintf("/* deallocate all */ -- prepare %d\nselect $1::int as prepared_at /*traceparent='00'*/", n%2)
		if err := connection.QueryRow(background, sql, n).Scan(&one); err != nil {
			return nil, err
		}
		heard = append(heard, one)
	}
	return heard, nil
}

func functions(connection *pgx.Conn) (any, error) {
	heard := []int{}
	for n := range 6 {
		for _, sql := range []string{"select shop.thrice($1)", "select count(*)::int from shop.orders where id < $1"} {
			// The result of opaque code is masked whole.
			var one *int
			if err := connection.QueryRow(background, sql, n).Scan(&one); err != nil {
				return nil, err
			}
			if one != nil && !strings.Contains(sql, "thrice") {
				heard = append(heard, *one)
			}
		}
	}
	return heard, nil
}

func cursor(connection *pgx.Conn) (any, error) {
	tx, err := connection.Begin(background)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback(background)
	if _, err := tx.Exec(background, "declare piece cursor for select id * 2, upper(status) from shop.orders order by id"); err != nil {
		return nil, err
	}
	rows, err := tx.Query(background, "fetch 3 from piece")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
}

func largeInsert(connection *pgx.Conn) (any, error) {
	tx, err := connection.Begin(background)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback(background)
	values := []string{}
	for n := range 8_000 {
		values = append(values, fmt.Sprintf("(%d,'%s')", 400_000+n, strings.Repeat("g", 100)))
	}
	tag, err := tx.Exec(background, "insert into shop.spoken values "+strings.Join(values, ","))
	return tag.RowsAffected(), err
}

func batch(connection *pgx.Conn) (any, error) {
	tx, err := connection.Begin(background)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback(background)
	queue := &pgx.Batch{}
	for n := range 20 {
		queue.Queue("insert into shop.spoken values ($1, shop.thrice($2)::text)", 500_000+n, n)
		queue.Queue("select note from shop.spoken where id = $1", 500_000+n)
	}
	results := tx.SendBatch(background, queue)
	heard := []string{}
	for range 20 {
		var note string
		if _, err := results.Exec(); err != nil {
			return nil, err
		}
		if err := results.QueryRow().Scan(&note); err != nil {
			return nil, err
		}
		heard = append(heard, note)
	}
	return heard, results.Close()
}

func copies(connection *pgx.Conn) (any, error) {
	tx, err := connection.Begin(background)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback(background)
	in, err := tx.CopyFrom(background, pgx.Identifier{"shop", "spoken"}, []string{"id", "note"},
		pgx.CopyFromSlice(2_000, func(n int) ([]any, error) { return []any{600_000 + n, "copied"}, nil }))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	tag, err := connection.PgConn().CopyTo(background, &out, "copy (select id from shop.spoken where id >= 600000 order by id) to stdout")
	return []any{in, tag.RowsAffected(), out.Len()}, err
}

// failedPortal reads on in a portal of a transaction that has failed.
func failedPortal(connection *pgx.Conn) (any, error) {
	tx, err := connection.Begin(background)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback(background)
	heard := []any{}
	for _, sql := range []string{"declare piece cursor for select n from generate_series(1, 9) s(n)", "fetch 2 from piece", "select 1/0", "fetch 2 from piece", "select 1"} {
		_, err := tx.Exec(background, sql)
		heard = append(heard, stateOf(err))
	}
	return heard, nil
}

func release(*pgx.Conn) (any, error) {
	config, err := pgxpool.ParseConfig("pool_max_conns=1")
	if err != nil {
		return nil, err
	}
	config.AfterRelease = func(connection *pgx.Conn) bool {
		_, err := connection.Exec(background, "discard all")
		return err == nil && connection.DeallocateAll(background) == nil
	}
	pool, err := pgxpool.NewWithConfig(background, config)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	heard := []int{}
	for n := range 4 {
		var one int
		if err := pool.QueryRow(background, "select $1::int + 1", n).Scan(&one); err != nil {
			return nil, err
		}
		heard = append(heard, one)
	}
	return heard, nil
}

// contract is what a program is told of a refusal and of a hold.
func contract(database string, sql string) any {
	config, err := pgx.ParseConfig("")
	if err != nil {
		return err.Error()
	}
	config.Database = database
	notices := []any{}
	config.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) {
		notices = append(notices, fields((*pgconn.PgError)(notice)))
	}
	connection, err := pgx.ConnectConfig(background, config)
	if err != nil {
		return err.Error()
	}
	defer connection.Close(background)
	_, err = connection.Exec(background, sql)
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return fmt.Sprint(err)
	}
	session := connection.PgConn().ParameterStatus("countersign.session_id")
	return map[string]any{"session": session, "notices": notices, "error": fields(said)}
}

func fields(said *pgconn.PgError) any {
	return map[string]any{
		"sqlstate": said.Code,
		"schema":   said.SchemaName,
		"code":     said.ConstraintName,
		"request":  said.TableName,
		"status":   said.ColumnName,
		"deadline": said.DataTypeName,
		"session":  said.Routine,
	}
}

// stateOf is the SQLSTATE of an error of the server, or its text.
func stateOf(err error) string {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return said.Code
	}
	return fmt.Sprint(err)
}

func report(step string, value any) {
	line, err := json.Marshal(map[string]any{"step": step, "value": value})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}
