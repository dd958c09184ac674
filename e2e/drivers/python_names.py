"""What psycopg 3 and asyncpg do with names, cursors and COPY where code of the target runs. One line of JSON for each step."""

import asyncio
import json
import os
import ssl

import asyncpg
import psycopg


def report(name, value):
    print(json.dumps({"step": name, "value": value}), flush=True)


def caught(work):
    try:
        work()
        return "no error"
    except psycopg.Error as error:
        return error.sqlstate


def psycopg_steps():
    with psycopg.connect(autocommit=True) as connection:
        # The sixth time it prepares.
        for _ in range(12):
            connection.execute("select shop.thrice(%s::int)", [7]).fetchone()
        report("psycopg function twelve times", "ran")
        for n in range(12):
            connection.execute("select %s::shop.mood", ["sad" if n % 2 else "happy"]).fetchone()
        report("psycopg enum twelve times", "ran")
        for _ in range(12):
            connection.execute("-- deallocate all\nselect %s::int as prepared_at", [7]).fetchone()
        report("psycopg comment twelve times", "ran")

    with psycopg.connect() as connection:
        cursor = connection.cursor("named")
        cursor.execute("select generate_series(1, 5)")
        first = cursor.fetchmany(2)
        connection.execute("select shop.thrice(1)")
        report("psycopg server cursor beside a function", len(first + cursor.fetchall()))

    with psycopg.connect() as connection:
        caught(lambda: connection.execute("select 1/0"))
        report("psycopg failed transaction", caught(lambda: connection.execute("select 1")))
        report("psycopg failed transaction, schema", caught(lambda: connection.execute("create table shop.x ()")))

    with psycopg.connect(autocommit=True) as connection:
        raw = connection.pgconn
        begun = raw.exec_params(b"copy shop.spoken from stdin", None)
        raw.put_copy_data(b"1\tone\n2\ttwo\n")
        raw.put_copy_end()
        done = raw.get_result()
        report("libpq COPY with parameters", [begun.status == psycopg.pq.ExecStatus.COPY_IN, done.command_tuples])
        while raw.get_result() is not None:
            pass
        report("and on", connection.execute("select count(*) from shop.spoken").fetchone()[0])


async def asyncpg_steps():
    context = ssl.create_default_context(cafile=os.environ["PGSSLROOTCERT"])
    connection = await asyncpg.connect(ssl=context)
    for mood in ["sad", "happy", "sad"]:
        await connection.fetch("select $1::shop.mood", mood)
    report("asyncpg enum three times", "ran")
    statement = await connection.prepare("select shop.thrice($1)")
    for n in range(4):
        await statement.fetch(n)
    await connection.execute("do $$ begin end $$")
    await statement.fetch(9)
    report("asyncpg prepared function beside DO", "ran")
    transaction = connection.transaction()
    await transaction.start()
    cursor = await connection.cursor("select generate_series(1, 5)")
    rows = await cursor.fetch(2)
    await connection.fetch("select shop.thrice(1)")
    rows += await cursor.fetch(2)
    report("asyncpg cursor beside a function", [row[0] for row in rows])
    try:
        await connection.fetch("select 1/0")
    except asyncpg.DivisionByZeroError:
        pass
    try:
        report("asyncpg cursor in a failed transaction", [row[0] for row in await cursor.fetch(2)])
    except asyncpg.PostgresError as error:
        report("asyncpg cursor in a failed transaction", error.sqlstate)
    await transaction.rollback()
    await connection.execute("deallocate all")
    try:
        await statement.fetch(1)
        report("asyncpg deallocated", "no error")
    except asyncpg.PostgresError as error:
        report("asyncpg deallocated", error.sqlstate)
    report("asyncpg goes on", await connection.fetchval("select 5"))
    await connection.close()


psycopg_steps()
asyncio.run(asyncpg_steps())
