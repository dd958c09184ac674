// A session of pgx with the proxy. Prints one line of JSON for each step: its name, and what came back.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
)

var background = context.Background()

type step struct {
	name string
	run  func(*pgx.Conn) (any, error)
}

func main() {
	steps := []step{
		{"cached statements", inMode(pgx.QueryExecModeCacheStatement)},
		{"cached descriptions", inMode(pgx.QueryExecModeCacheDescribe)},
		{"described, then run", inMode(pgx.QueryExecModeDescribeExec)},
		{"run", inMode(pgx.QueryExecModeExec)},
		{"simple protocol", inMode(pgx.QueryExecModeSimpleProtocol)},
		{"values", values},
		{"batch", batch},
		{"batch with an error", batchWithError},
		{"pipeline", pipeline},
		{"prepared", prepared},
		{"copy from", copyFrom},
		{"copy from given up", copyFromGivenUp},
		{"copy to", copyTo},
		{"cancelled by a deadline", cancelled},
		{"deadline closes", deadlineCloses},
		{"failed transaction", failedTransaction},
		{"savepoint", savepoint},
		{"pool", pool},
		{"pgx masked text", masked(pgx.TextFormatCode)},
		{"pgx masked binary", masked(pgx.BinaryFormatCode)},
		{"pgx error", sqlError},
		{"pgx refused in a transaction", refused},
	}
	for _, step := range steps {
		runStep(step, os.Getenv("PGDATABASE"))
	}
	for _, step := range []step{{"pgx countersigned", countersigned}, {"pgx denied", denied}} {
		runStep(step, os.Getenv("HELD_DATABASE"))
	}
}

func runStep(step step, database string) {
	connection, err := connect(database, nil)
	if err != nil {
		report(step.name, err.Error())
		return
	}
	defer connection.Close(background)
	value, err := step.run(connection)
	if err != nil {
		value = err.Error()
	}
	report(step.name, value)
}

// connect reads the environment as libpq does; change may change what it says.
func connect(database string, change func(*pgx.ConnConfig)) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig("")
	if err != nil {
		return nil, err
	}
	config.Database = database
	if change != nil {
		change(config)
	}
	return pgx.ConnectConfig(background, config)
}

func inMode(mode pgx.QueryExecMode) func(*pgx.Conn) (any, error) {
	return func(connection *pgx.Conn) (any, error) {
		heard := []int{}
		for round := range 6 {
			var id int
			var name string
			row := connection.QueryRow(background, "select id + $1::int, $2::text from shop.products where id = $3", mode, round, "it's \\ ä", 7)
			if err := row.Scan(&id, &name); err != nil {
				return nil, err
			}
			if name != "it's \\ ä" {
				return name, nil
			}
			heard = append(heard, id)
		}
		return heard, nil
	}
}

func values(connection *pgx.Conn) (any, error) {
	at := time.Date(2026, 2, 3, 4, 5, 6, 789_000_000, time.UTC)
	var (
		text    string
		null    *string
		integer int64
		when    time.Time
		raw     []byte
		list    []int32
		object  map[string]any
	)
	err := connection.QueryRow(background,
		"select $1::text, $2::text, $3::bigint, $4::timestamptz, $5::bytea, $6::int[], $7::jsonb",
		"ä 漢 😀 it's $1; --", nil, int64(9223372036854775807), at, []byte{0, 255}, []int32{1, 2, 3}, map[string]any{"deep": true},
	).Scan(&text, &null, &integer, &when, &raw, &list, &object)
	if err != nil {
		return nil, err
	}
	return text == "ä 漢 😀 it's $1; --" && null == nil && integer == 9223372036854775807 && when.Equal(at) &&
		bytes.Equal(raw, []byte{0, 255}) && len(list) == 3 && list[2] == 3 && object["deep"] == true, nil
}

func batch(connection *pgx.Conn) (any, error) {
	asked := &pgx.Batch{}
	for n := range 200 {
		if n%2 == 0 {
			asked.Queue("select $1::int", n)
		} else {
			asked.Queue("select $1 - id + 1 from shop.products where id = 1", n)
		}
	}
	results := connection.SendBatch(background, asked)
	sum := 0
	for range 200 {
		var n int
		if err := results.QueryRow().Scan(&n); err != nil {
			return nil, err
		}
		sum += n
	}
	return sum, results.Close()
}

func batchWithError(connection *pgx.Conn) (any, error) {
	asked := &pgx.Batch{}
	asked.Queue("update shop.orders set note = 'pgx batch' where id = $1", 81)
	asked.Queue("select 1 / $1::int", 0)
	asked.Queue("update shop.orders set note = 'pgx batch' where id = $1", 82)
	code := stateOf(connection.SendBatch(background, asked).Close())
	rows, err := count(connection, "select count(*) from shop.orders where note = 'pgx batch'")
	return []any{code, rows}, err
}

func pipeline(connection *pgx.Conn) (any, error) {
	pipe := connection.PgConn().StartPipeline(background)
	pipe.SendPrepare("one", "select $1::int + 1", nil)
	pipe.SendFlushRequest()
	if err := pipe.Flush(); err != nil {
		return nil, err
	}
	if _, err := pipe.GetResults(); err != nil {
		return nil, err
	}
	for n := range 20 {
		pipe.SendQueryPrepared("one", [][]byte{fmt.Append(nil, n)}, nil, nil)
	}
	if err := pipe.Sync(); err != nil {
		return nil, err
	}
	heard := []string{}
	for {
		result, err := pipe.GetResults()
		if err != nil {
			return nil, err
		}
		reader, isRows := result.(*pgconn.ResultReader)
		if !isRows {
			break
		}
		for reader.NextRow() {
			heard = append(heard, string(reader.Values()[0]))
		}
		if _, err := reader.Close(); err != nil {
			return nil, err
		}
	}
	return strings.Join(heard, " "), pipe.Close()
}

func prepared(connection *pgx.Conn) (any, error) {
	if _, err := connection.Prepare(background, "price", "select price_cents > $1 from shop.products where id = 1"); err != nil {
		return nil, err
	}
	var isMore bool
	if err := connection.QueryRow(background, "price", 0).Scan(&isMore); err != nil {
		return nil, err
	}
	if err := connection.Deallocate(background, "price"); err != nil {
		return nil, err
	}
	return isMore, connection.DeallocateAll(background)
}

func copyFrom(connection *pgx.Conn) (any, error) {
	return connection.CopyFrom(background, pgx.Identifier{"shop", "products"}, []string{"id", "name", "price_cents"},
		pgx.CopyFromSlice(3000, func(n int) ([]any, error) {
			return []any{80_000 + n, strings.Repeat("z", 300), n}, nil
		}))
}

func copyFromGivenUp(connection *pgx.Conn) (any, error) {
	_, err := connection.CopyFrom(background, pgx.Identifier{"shop", "products"}, []string{"id", "name", "price_cents"},
		pgx.CopyFromSlice(3000, func(n int) ([]any, error) {
			if n == 2000 {
				return nil, errors.New("given up")
			}
			return []any{90_000 + n, strings.Repeat("z", 300), n}, nil
		}))
	rows, countErr := count(connection, "select count(*) from shop.products where id >= 90000")
	return []any{err != nil, rows}, countErr
}

func copyTo(connection *pgx.Conn) (any, error) {
	var out bytes.Buffer
	tag, err := connection.PgConn().CopyTo(background, &out, "copy (select id from shop.products where id <= 40) to stdout")
	return []any{tag.RowsAffected(), strings.Count(out.String(), "\n")}, err
}

const endless = "select count(*) from shop.orders a, shop.orders b, shop.orders c, shop.orders d where a.id <> $1"

// cancelled asks the server to cancel, and keeps the connection.
func cancelled(*pgx.Conn) (any, error) {
	connection, err := connect(os.Getenv("PGDATABASE"), func(config *pgx.ConnConfig) {
		config.BuildContextWatcherHandler = func(connection *pgconn.PgConn) ctxwatch.Handler {
			return &pgconn.CancelRequestContextWatcherHandler{Conn: connection, DeadlineDelay: 10 * time.Second}
		}
	})
	if err != nil {
		return nil, err
	}
	defer connection.Close(background)
	limited, stop := context.WithTimeout(background, time.Second)
	defer stop()
	_, err = connection.Exec(limited, endless, 0)
	one, countErr := count(connection, "select 1")
	return []any{stateOf(err), one}, countErr
}

// deadlineCloses is what pgx does by default: it leaves, and the server is asked to cancel.
func deadlineCloses(connection *pgx.Conn) (any, error) {
	limited, stop := context.WithTimeout(background, time.Second)
	defer stop()
	_, err := connection.Exec(limited, endless, 0)
	select {
	case <-connection.PgConn().CleanupDone():
	case <-time.After(20 * time.Second):
		return "not cleaned up", nil
	}
	other, otherErr := connect(os.Getenv("PGDATABASE"), nil)
	if otherErr != nil {
		return nil, otherErr
	}
	defer other.Close(background)
	// Whoever runs it has locked the table; what it runs, another role may not see.
	const locks = "select count(*) from pg_locks where relation = 'shop.orders'::regclass and pid <> pg_backend_pid()"
	running, otherErr := count(other, locks)
	for round := 0; round < 100 && running > 0 && otherErr == nil; round++ {
		time.Sleep(50 * time.Millisecond)
		running, otherErr = count(other, locks)
	}
	return []any{errors.Is(err, context.DeadlineExceeded), connection.IsClosed(), running}, otherErr
}

func failedTransaction(connection *pgx.Conn) (any, error) {
	tx, err := connection.Begin(background)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(background, "update shop.orders set note = 'pgx half' where id = $1", 83); err != nil {
		return nil, err
	}
	_, first := tx.Exec(background, "select 1 / $1::int", 0)
	_, second := tx.Exec(background, "select $1::int", 1)
	committed := tx.Commit(background)
	rows, err := count(connection, "select count(*) from shop.orders where note = 'pgx half'")
	return []any{stateOf(first), stateOf(second), errors.Is(committed, pgx.ErrTxCommitRollback), rows}, err
}

func savepoint(connection *pgx.Conn) (any, error) {
	err := pgx.BeginTxFunc(background, connection, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(background, "update shop.orders set note = 'pgx kept' where id = $1", 84); err != nil {
			return err
		}
		inner := pgx.BeginFunc(background, tx, func(tx pgx.Tx) error {
			_, err := tx.Exec(background, "select 1 / $1::int", 0)
			return err
		})
		if stateOf(inner) != "22012" {
			return inner
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return count(connection, "select count(*) from shop.orders where note = 'pgx kept'")
}

func pool(*pgx.Conn) (any, error) {
	config, err := pgxpool.ParseConfig("pool_max_conns=5")
	if err != nil {
		return nil, err
	}
	many, err := pgxpool.NewWithConfig(background, config)
	if err != nil {
		return nil, err
	}
	defer many.Close()
	var group sync.WaitGroup
	heard := make([]int, 50)
	for n := range heard {
		group.Go(func() { _ = many.QueryRow(background, "select $1::int", n).Scan(&heard[n]) })
	}
	group.Wait()
	for n, one := range heard {
		if one != n {
			return heard, nil
		}
	}
	return true, many.Ping(background)
}

func masked(format int16) func(*pgx.Conn) (any, error) {
	return func(connection *pgx.Conn) (any, error) {
		rows, err := connection.Query(background, "select email from shop.customers where id = $1", pgx.QueryResultFormats{format}, 90001)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		if !rows.Next() || rows.FieldDescriptions()[0].Format != format {
			return "no row in this format", rows.Err()
		}
		return string(rows.RawValues()[0]), nil
	}
}

func sqlError(connection *pgx.Conn) (any, error) {
	_, err := connection.Exec(background, "select 1 / $1::int", 0)
	return stateOf(err), nil
}

func refused(connection *pgx.Conn) (any, error) {
	tx, err := connection.Begin(background)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(background, "update shop.orders set note = 'half' where id = $1", 85); err != nil {
		return nil, err
	}
	_, first := tx.Exec(background, "grant shop_dev_owner to public")
	_, second := tx.Exec(background, "select $1::int", 1)
	if err := tx.Commit(background); !errors.Is(err, pgx.ErrTxCommitRollback) {
		return "the transaction was committed", err
	}
	rows, err := count(connection, "select count(*) from shop.orders where note = 'half'")
	return []any{stateOf(first), stateOf(second), rows}, err
}

const hold = "update shop.orders set note = $1 where id = $2"

func countersigned(connection *pgx.Conn) (any, error) {
	tag, err := connection.Exec(background, hold, "pgx countersigned", 86)
	return tag.RowsAffected(), err
}

func denied(connection *pgx.Conn) (any, error) {
	_, err := connection.Exec(background, hold, "pgx denied", 87)
	var said *pgconn.PgError
	return []any{stateOf(err), errors.As(err, &said) && strings.Contains(said.Detail, "not on a Monday")}, nil
}

func count(connection *pgx.Conn, sql string) (int64, error) {
	var rows int64
	err := connection.QueryRow(background, sql).Scan(&rows)
	return rows, err
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
