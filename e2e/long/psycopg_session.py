"""What psycopg 3 and asyncpg do, against the proxy. Prints one line of JSON for each step: its name, and what came back."""

import asyncio
import io
import json
import os
import ssl

import asyncpg
import psycopg


def report(name, value):
    print(json.dumps({"step": name, "value": value}), flush=True)


def pipeline(connection):
    with connection.pipeline():
        cursors = [connection.execute("select %s::int", [n]) for n in range(50)]
        report("pipeline", [cursor.fetchone()[0] for cursor in cursors])


def pipeline_with_error(connection):
    heard = []
    try:
        with connection.pipeline() as pipe:
            connection.execute("update shop.orders set note = 'pipe' where id = 41")
            connection.execute("select %s::int / 0", [1])
            connection.execute("update shop.orders set note = 'pipe' where id = 42")
            pipe.sync()
    except psycopg.errors.DivisionByZero as error:
        heard.append(error.sqlstate)
    connection.rollback()
    row = connection.execute("select count(*) from shop.orders where note = 'pipe'").fetchone()
    report("pipeline with an error", [*heard, row[0]])


def refused_in_pipeline(connection):
    heard = []
    try:
        with connection.pipeline() as pipe:
            connection.execute("update shop.orders set note = 'refused' where id = 41")
            connection.execute("grant shop_dev_owner to public")
            connection.execute("update shop.orders set note = 'refused' where id = 42")
            pipe.sync()
    except psycopg.Error as error:
        heard.append(error.sqlstate)
    connection.rollback()
    row = connection.execute("select count(*) from shop.orders where note = 'refused'").fetchone()
    report("refused in a pipeline", [*heard, row[0]])


def copy_out(connection):
    for form in ["text", "binary"]:
        with connection.cursor() as cursor:
            statement = f"copy (select id, price_cents from shop.products where id <= 40 order by id) to stdout (format {form})"
            with cursor.copy(statement) as copy:
                copy.set_types(["int4", "int4"])
                report(f"copy out {form}", [row[0] for row in copy.rows()])


def copy_in(connection):
    for form, first in [("text", 20_000), ("binary", 30_000)]:
        with connection.cursor() as cursor:
            statement = f"copy shop.products (id, name, price_cents) from stdin (format {form})"
            with cursor.copy(statement) as copy:
                copy.set_types(["int4", "text", "int4"])
                for n in range(3_000):
                    copy.write_row((first + n, "x" * 300, n))
            report(f"copy in {form}", cursor.rowcount)
        connection.commit()


def copy_in_given_up(connection):
    heard = []
    try:
        with connection.cursor().copy("copy shop.products (id, name, price_cents) from stdin") as copy:
            copy.write_row((40_000, "never", 1))
            raise ZeroDivisionError
    except (ZeroDivisionError, psycopg.errors.QueryCanceled):
        heard.append("given up")
    connection.rollback()
    row = connection.execute("select count(*) from shop.products where id = 40000").fetchone()
    report("copy in given up", [*heard, row[0]])


def server_cursor(connection):
    with connection.cursor("piece") as cursor:
        cursor.itersize = 30
        cursor.execute("select id from shop.orders where id > %s order by id", [20])
        report("server cursor", sum(1 for _ in cursor))
    connection.commit()


def prepared(connection):
    connection.prepare_threshold = 2
    heard = [
        connection.execute("select price_cents > %s from shop.products where id = 1", [0]).fetchone()[0]
        for _ in range(8)
    ]
    report("prepared", heard)


def binary(connection):
    cursor = connection.cursor(binary=True)
    cursor.execute("select id, status, created_at is null from shop.orders where id = 5")
    identifier, status, is_null = cursor.fetchone()
    report("binary results", [identifier, status in ("open", "paid", "sent", "returned"), is_null])


def streamed(connection):
    report(
        "streamed",
        sum(1 for _ in connection.cursor().stream("select n from generate_series(1, 5000) s(n)")),
    )
    connection.commit()


def direct_tls(_):
    """TLS from the first byte, without the question for it (libpq 17 and later)."""
    with psycopg.connect("sslnegotiation=direct") as connection:
        report("direct TLS", [connection.execute("select 1").fetchone()[0], connection.pgconn.ssl_in_use])


def promises(connection):
    for form, is_binary in [("text", False), ("binary", True)]:
        cursor = connection.cursor(binary=is_binary)
        cursor.execute("select email from shop.customers where id = %s", [90_001])
        report(f"psycopg masked {form}", cursor.fetchone()[0])
    report("psycopg error", state_of(connection, "select 1 / %s", [0]))
    connection.rollback()
    connection.execute("update shop.orders set note = 'half' where id = %s", [43])
    heard = [state_of(connection, "grant shop_dev_owner to public"), state_of(connection, "select 1")]
    connection.commit()
    row = connection.execute("select count(*) from shop.orders where note = 'half'").fetchone()
    report("psycopg refused in a transaction", [*heard, row[0]])


def state_of(connection, statement, values=None):
    try:
        connection.execute(statement, values)
    except psycopg.Error as error:
        return error.sqlstate


def held(_):
    with psycopg.connect(dbname=os.environ["HELD_DATABASE"], autocommit=True) as connection:
        notices = []
        connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
        report("psycopg countersigned", connection.execute(HELD, ["psycopg countersigned", 44]).rowcount)
        report("psycopg is told of the hold", any("held for review" in notice for notice in notices))
        try:
            connection.execute(HELD, ["psycopg denied", 45])
        except psycopg.Error as error:
            report("psycopg denied", [error.sqlstate, "not on a Monday" in error.diag.message_detail])


HELD = "update shop.orders set note = %s where id = %s"


async def connect_asyncpg(database):
    return await asyncpg.connect(
        host=os.environ["PGHOST"],
        port=int(os.environ["PGPORT"]),
        user=os.environ["PGUSER"],
        password=os.environ["PGPASSWORD"],
        database=database,
        ssl=ssl.create_default_context(cafile=os.environ["PGSSLROOTCERT"]),
    )


async def asyncpg_promises(connection):
    # Everything that it fetches is binary; text comes by COPY.
    sql = "select email from shop.customers where id = $1"
    report("asyncpg masked binary", await connection.fetchval(sql, 90_001))
    out = io.BytesIO()
    await connection.copy_from_query(sql, 90_001, output=out)
    report("asyncpg masked text", out.getvalue().decode().strip())
    report("asyncpg error", await asyncpg_state_of(connection, "select 1 / $1::int", 0))
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("update shop.orders set note = 'half' where id = $1", 46)
    heard = [
        await asyncpg_state_of(connection, "grant shop_dev_owner to public"),
        await asyncpg_state_of(connection, "select $1::int", 1),
    ]
    await transaction.rollback()
    rows = await connection.fetchval("select count(*) from shop.orders where note = 'half'")
    report("asyncpg refused in a transaction", [*heard, rows])
    held = await connect_asyncpg(os.environ["HELD_DATABASE"])
    tag = await held.execute(ASYNCPG_HELD, "asyncpg countersigned", 47)
    report("asyncpg countersigned", int(tag.removeprefix("UPDATE ")))
    try:
        await held.execute(ASYNCPG_HELD, "asyncpg denied", 48)
    except asyncpg.PostgresError as error:
        report("asyncpg denied", [error.sqlstate, "not on a Monday" in error.detail])
    await held.close()


async def asyncpg_state_of(connection, statement, *values):
    try:
        await connection.fetchval(statement, *values)
    except asyncpg.PostgresError as error:
        return error.sqlstate


ASYNCPG_HELD = "update shop.orders set note = $1 where id = $2"


async def with_asyncpg():
    connection = await connect_asyncpg(os.environ["PGDATABASE"])
    report("asyncpg fetch", [await connection.fetchval("select $1::int + 1", n) for n in range(5)])
    async with connection.transaction():
        heard = 0
        async for _ in connection.cursor("select id from shop.orders order by id", prefetch=50):
            heard += 1
    report("asyncpg cursor", heard)
    out = io.BytesIO()
    await connection.copy_from_query("select id from shop.orders order by id", output=out)
    report("asyncpg copy", len(out.getvalue().splitlines()))
    await connection.executemany(
        "update shop.orders set note = $1 where id = $2", [("many", 51), ("many", 52)]
    )
    report(
        "asyncpg executemany",
        await connection.fetchval("select count(*) from shop.orders where note = 'many'"),
    )
    await asyncpg_promises(connection)
    await connection.close()


with psycopg.connect("") as session:
    for step in [
        pipeline,
        pipeline_with_error,
        refused_in_pipeline,
        copy_out,
        copy_in,
        copy_in_given_up,
        server_cursor,
        prepared,
        binary,
        streamed,
        direct_tls,
        promises,
        held,
    ]:
        try:
            step(session)
        except Exception as error:
            report(f"{step.__name__} failed", f"{type(error).__name__}: {error}")
            if session.closed:
                session = psycopg.connect("")
            session.rollback()
try:
    asyncio.run(with_asyncpg())
except Exception as error:
    report("asyncpg failed", f"{type(error).__name__}: {error}")
