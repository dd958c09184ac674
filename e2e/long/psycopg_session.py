"""What psycopg 3 and asyncpg do, against the proxy. Prints one line of JSON for each step: its name, and what came back."""

import asyncio
import io
import json
import os

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
    except psycopg.errors.InsufficientPrivilege as error:
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


async def with_asyncpg():
    import ssl

    context = ssl.create_default_context(cafile=os.environ["PGSSLROOTCERT"])
    connection = await asyncpg.connect(
        host=os.environ["PGHOST"],
        port=int(os.environ["PGPORT"]),
        user=os.environ["PGUSER"],
        password=os.environ["PGPASSWORD"],
        database=os.environ["PGDATABASE"],
        ssl=context,
    )
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
