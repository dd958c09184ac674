"""Cursors of asyncpg over statements that people are asked about. One line of JSON for each step."""

import asyncio
import json
import os
import ssl

import asyncpg

UPDATE = "update shop.orders set note = $1 where id between 60 and 64 returning id"


def report(step, value):
    print(json.dumps([step, value]), flush=True)


async def steps():
    context = ssl.create_default_context(cafile=os.environ["PGSSLROOTCERT"])
    connection = await asyncpg.connect(ssl=context)
    async with connection.transaction():
        cursor = await connection.cursor(UPDATE, "fetched")
        rows = [await cursor.fetch(2) for _ in range(3)]
        report("fetched", [len(part) for part in rows])
    async with connection.transaction():
        report("iterated", len([row async for row in connection.cursor(UPDATE, "iterated", prefetch=2)]))
    await connection.close()


asyncio.run(steps())
