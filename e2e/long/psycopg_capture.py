"""A short session of psycopg 3 or of asyncpg, to be captured: the first argument says of which."""

import asyncio
import os
import sys

import asyncpg
import psycopg


def with_psycopg():
    with psycopg.connect("", autocommit=True) as connection:
        connection.execute("select name from items where id = 1")
        connection.execute("select name from items where id = %s", [1])
        connection.execute("select name from items where id = %s", [1], prepare=True)
        connection.execute("select id from items where name = %s", ["ä"], binary=True)
        try:
            with connection.pipeline():
                connection.execute("update items set name = %s where id = %s", ["psycopg", 1])
                connection.execute("select 1 / %s", [0])
                connection.execute("select %s::int", [3])
        except psycopg.errors.DivisionByZero:
            pass
        with connection.transaction(), connection.cursor("piece") as cursor:
            cursor.itersize = 2
            cursor.execute("select id from items order by id limit %s", [3])
            cursor.fetchall()
        with connection.cursor().copy("copy items (id, name) from stdin (format binary)") as copy:
            copy.set_types(["int4", "text"])
            copy.write_row((401, "ä"))
            copy.write_row((402, None))


async def with_asyncpg():
    connection = await asyncpg.connect("", ssl=False)
    await connection.execute("select 1; select 2")
    for _ in range(2):
        await connection.fetch("select name from items where id = $1", 1)
    try:
        async with connection.transaction():
            await connection.execute("update items set name = $1 where id = $2", "asyncpg", 1)
            await connection.fetch("select 1 / $1::int", 0)
    except asyncpg.DivisionByZeroError:
        pass
    async with connection.transaction():
        async for _ in connection.cursor("select id from items order by id limit 3", prefetch=2):
            pass
    await connection.executemany("update items set name = $1 where id = $2", [("many", 1), ("many", 2)])
    await connection.copy_records_to_table("items", records=[(501, "ä"), (502, None)])
    await connection.close()


if sys.argv[1] == "psycopg":
    with_psycopg()
else:
    asyncio.run(with_asyncpg())
