"""What psycopg, its pool, asyncpg, SQLAlchemy and Django do by themselves. One line of JSON for each step.

Run at PostgreSQL itself and through the proxy it must print the same.
"""

import asyncio
import contextlib
import io
import json
import os

import asyncpg
import django
import psycopg
import psycopg_pool
import sqlalchemy as sa
from django.conf import settings
from sqlalchemy import orm

MEBIBYTE = 1 << 20


def report(name, value):
    print(json.dumps({"step": name, "value": value}, default=str), flush=True)


def steps_of(driver, *steps):
    for step in steps:
        name = f"{driver} {step.__name__.replace('_', ' ')}"
        try:
            value = step()
            report(name, asyncio.run(value) if asyncio.iscoroutine(value) else value)
        except Exception as error:
            report(name, f"{type(error).__name__}: {error}")


# psycopg


def pool_reset():
    def reset(connection):
        connection.execute("reset all")
        connection.commit()

    with psycopg_pool.ConnectionPool(
        "", min_size=1, max_size=1, reset=reset, check=psycopg_pool.ConnectionPool.check_connection
    ) as pool:
        heard = []
        for n in range(3):
            with pool.connection() as connection:
                connection.execute("set work_mem = '5MB'")
                row = connection.execute("select %s::int, current_setting('work_mem')", [n]).fetchone()
                heard.append(row)
        with pool.connection() as connection:
            heard.append(connection.execute("select current_setting('work_mem') = '5MB'").fetchone()[0])
        return heard


def pool_discard():
    def reset(connection):
        connection.autocommit = True
        connection.execute("discard all")
        connection.autocommit = False

    with psycopg_pool.ConnectionPool("", min_size=1, max_size=1, reset=reset) as pool:
        heard = []
        for _ in range(3):
            with pool.connection() as connection:
                connection.prepare_threshold = None
                heard.append(connection.execute("select count(*) from shop.orders where id < %s", [9]).fetchone()[0])
        return heard


def comments():
    with psycopg.connect(autocommit=True) as connection:
        heard = []
        for n in range(8):
            sql = f"/* deallocate all; prepare it */ -- prepared_at {n}\nselect %s::int as prepared_at /*action='close',traceparent='00-{n}'*/"
            heard.append(connection.execute(sql, [n]).fetchone()[0])
        return heard


def many_with_results():
    with psycopg.connect() as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into shop.spoken values (%s, %s) returning id", [(n, "many") for n in range(500, 560)], returning=True
        )
        heard = [cursor.fetchone()[0]]
        while cursor.nextset():
            heard.append(cursor.fetchone()[0])
        connection.rollback()
        return heard


def scrolled_cursor():
    with psycopg.connect() as connection, connection.cursor("scrolled", scrollable=True) as cursor:
        cursor.execute("select n, n * 2 as twice from generate_series(1, 100) s(n)")
        cursor.scroll(50)
        heard = [cursor.fetchone()]
        cursor.scroll(0, mode="absolute")
        return [*heard, *cursor.fetchmany(2)]


def held_cursor():
    with psycopg.connect() as connection, connection.cursor("kept", withhold=True) as cursor:
        cursor.execute("select id, total_cents + 1 from shop.orders order by id limit 30")
        connection.commit()
        return [len(cursor.fetchmany(20)), len(cursor.fetchall())]


def cursor_of_expressions():
    with psycopg.connect() as connection, connection.cursor("computed") as cursor:
        cursor.execute("select id * 2, upper(status), count(*) over () from shop.orders order by id limit 3")
        return cursor.fetchall()


def notifications():
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("listen habits")
        connection.execute("notify habits, '{\"id\":7}'")
        return [(one.channel, one.payload) for one in connection.notifies(timeout=20, stop_after=1)]


def large_statement():
    with psycopg.connect(cursor_factory=psycopg.ClientCursor) as connection:
        rows = [(n, "x" * 100) for n in range(10_000, 17_500)]
        values = ",".join(["(%s, %s)"] * len(rows))
        cursor = connection.execute(f"insert into shop.spoken values {values}", [one for row in rows for one in row])
        assert sum(len(f"({n}, '{text}')") for n, text in rows) > 0.7 * MEBIBYTE
        connection.rollback()
        return cursor.rowcount


def state_and_position(sql):
    with psycopg.connect() as connection:
        try:
            connection.execute(sql)
        except psycopg.Error as error:
            return [error.sqlstate, error.diag.statement_position]


def states():
    wrong = ["select 1/0", "select * from no_such_table", "select no_such_column from shop.spoken"]
    return [state_and_position(sql) for sql in wrong]


def syntax_error():
    return state_and_position("selec 1")


def unique_violation():
    with psycopg.connect() as connection:
        try:
            connection.execute("insert into shop.spoken values (900, 'a'), (900, 'b')")
        except psycopg.errors.UniqueViolation as error:
            return [error.diag.constraint_name, error.diag.table_name, error.diag.schema_name]


# asyncpg


async def pool_release():
    heard = []
    async with asyncpg.create_pool(min_size=1, max_size=1) as pool:
        for n in range(4):
            async with pool.acquire() as connection:
                await connection.execute("set work_mem = '5MB'")
                heard.append(await connection.fetchval("select $1::int", n))
        heard.append(await pool.fetchval("select current_setting('work_mem') = '5MB'"))
    return heard


async def listening():
    heard = asyncio.get_running_loop().create_future()
    connection = await asyncpg.connect()
    await connection.add_listener("habits", lambda _, pid, channel, payload: heard.done() or heard.set_result([channel, payload]))
    await connection.execute("select pg_notify($1, $2)", "habits", '{"id":7,"mail":"none"}')
    said = await asyncio.wait_for(heard, 20)
    await connection.reset()
    await connection.close()
    return said


async def copies():
    connection = await asyncpg.connect()
    transaction = connection.transaction()
    await transaction.start()
    heard = [await connection.copy_records_to_table("spoken", schema_name="shop", records=[(n, "r") for n in range(700, 900)])]
    source = io.BytesIO(b"901,one\n902,two\n")
    heard.append(await connection.copy_to_table("spoken", schema_name="shop", source=source, format="csv"))
    out = io.BytesIO()
    heard.append(await connection.copy_from_table("spoken", schema_name="shop", output=out, format="binary"))
    out = io.BytesIO()
    heard.append(await connection.copy_from_query("select id from shop.spoken where id > $1 order by id", 898, output=out))
    heard.append(out.getvalue().decode())
    await transaction.rollback()
    await connection.close()
    return heard


async def types():
    connection = await asyncpg.connect()
    await connection.set_type_codec("json", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    heard = [
        await connection.fetchval("select $1::json", {"a": 1}),
        await connection.fetchval("select $1::shop.mood", "sad"),
        await connection.fetchval("select $1::shop.mood[]", ["sad", "happy"]),
        await connection.fetchval("select $1::int[]", [1, 2]),
        list(await connection.fetchval("select row(1, 'a'::text)")),
    ]
    await connection.close()
    return heard


async def many_and_cursors():
    connection = await asyncpg.connect()
    transaction = connection.transaction()
    await transaction.start()
    await connection.executemany("insert into shop.spoken values ($1, $2)", [(n, "m" * 50) for n in range(1_000, 4_000)])
    statement = await connection.prepare("select id, note || '!' from shop.spoken where id >= $1 order by id")
    heard = 0
    async for _ in statement.cursor(1_000, prefetch=70):
        heard += 1
    cursor = await statement.cursor(1_000)
    await cursor.forward(10)
    heard = [heard, (await cursor.fetchrow())[0], [a.name for a in statement.get_attributes()], statement.get_statusmsg()]
    await transaction.rollback()
    await connection.close()
    return heard


async def fetchmany():
    connection = await asyncpg.connect()
    async with connection.transaction():
        rows = await connection.fetchmany("select $1::int + 1 as n", [(n,) for n in range(20)])
    await connection.close()
    return [row["n"] for row in rows]


# SQLAlchemy


def engine(**options):
    return sa.create_engine("postgresql+psycopg://", **options)


def reflect():
    metadata = sa.MetaData()
    metadata.reflect(engine(), schema="shop", views=True)
    return {
        name: {
            "columns": [[column.name, str(column.type), column.nullable, str(column.server_default)] for column in table.columns],
            "key": [column.name for column in table.primary_key],
            "foreign": sorted(str(key.target_fullname) for key in table.foreign_keys),
            "indexes": sorted(str(index.name) for index in table.indexes),
            "constraints": sorted(str(one.name) for one in table.constraints),
        }
        for name, table in sorted(metadata.tables.items())
    }


def inspected():
    inspector = sa.inspect(engine())
    return [
        inspector.get_schema_names(),
        sorted(inspector.get_table_names(schema="shop")),
        inspector.get_view_names(schema="shop"),
        inspector.get_enums(schema="shop"),
        inspector.get_sequence_names(schema="shop"),
        inspector.get_unique_constraints("customers", schema="shop"),
        inspector.get_check_constraints("customers", schema="shop"),
        inspector.get_table_comment("customers", schema="shop"),
        inspector.has_table("customers", schema="shop"),
        inspector.default_schema_name,
    ]


def stream_results():
    with engine().connect() as connection:
        streamed = connection.execution_options(stream_results=True, max_row_buffer=40)
        rows = streamed.execute(sa.text("select id, total_cents / 100.0 as total, lower(status) from shop.orders order by id"))
        heard = rows.fetchall()
        return [len(heard), [str(value) for value in heard[0]]]


def yield_per():
    with engine().connect() as connection:
        rows = connection.execution_options(yield_per=25).execute(sa.text("select n, n % 7 from generate_series(1, 120) s(n)"))
        return [len(part) for part in rows.partitions(25)]


class Base(orm.DeclarativeBase):
    pass


class Spoken(Base):
    __tablename__ = "spoken"
    __table_args__ = {"schema": "shop"}
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True, autoincrement=False)
    note: orm.Mapped[str | None]


def flush():
    with orm.Session(engine(pool_pre_ping=True)) as session:
        session.add_all([Spoken(id=n, note=f"n{n}") for n in range(2_000, 2_010)])
        session.flush()
        one = session.get(Spoken, 2_003)
        one.note = "changed"
        with session.begin_nested() as inner:
            session.execute(sa.delete(Spoken).where(Spoken.id == 2_004))
            inner.rollback()
        session.flush()
        heard = session.scalars(sa.select(Spoken.note).where(Spoken.id.between(2_002, 2_005)).order_by(Spoken.id)).all()
        session.rollback()
        return list(heard)


def bulk_insert():
    with engine().connect() as connection:
        rows = [{"id": n, "note": "b" * 60} for n in range(20_000, 32_000)]
        connection.execute(sa.insert(Spoken), rows)
        returned = connection.execute(sa.insert(Spoken).returning(Spoken.id), [{"id": n, "note": "r"} for n in range(40_000, 43_000)])
        heard = len(returned.all())
        counted = connection.scalar(sa.select(sa.func.count()).select_from(Spoken))
        connection.rollback()
        return [heard, counted]


def literal_insert():
    with engine().connect() as connection:
        statement = sa.insert(Spoken).values([{"id": n, "note": "l" * 120} for n in range(50_000, 56_000)])
        sql = str(statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
        assert MEBIBYTE * 0.7 < len(sql) < MEBIBYTE
        heard = connection.exec_driver_sql(sql).rowcount
        connection.rollback()
        return heard


def isolation():
    with engine(isolation_level="REPEATABLE READ").connect() as connection:
        heard = [connection.scalar(sa.text("show transaction_isolation")), connection.get_isolation_level()]
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return [*heard, connection.scalar(sa.text("select 1"))]


# Django


def configure():
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": os.environ["PGDATABASE"],
                "USER": os.environ["PGUSER"],
                "PASSWORD": os.environ.get("PGPASSWORD", ""),
                "HOST": os.environ["PGHOST"],
                "PORT": os.environ["PGPORT"],
                "CONN_HEALTH_CHECKS": True,
            }
        },
        INSTALLED_APPS=[],
        USE_TZ=True,
    )
    django.setup()


def django_steps():
    configure()
    from django.core.management import call_command
    from django.db import connection, models, transaction

    class Word(models.Model):
        id = models.IntegerField(primary_key=True)
        note = models.TextField(null=True)

        class Meta:
            managed = False
            app_label = "habits"
            db_table = '"shop"."spoken"'

    class Undone(Exception):
        pass

    @contextlib.contextmanager
    def undone():
        with contextlib.suppress(Undone), transaction.atomic():
            yield
            raise Undone

    def iterator():
        with undone():
            Word.objects.bulk_create([Word(id=n, note=f"{n}") for n in range(60_000, 60_200)])
            words = Word.objects.filter(id__gte=60_000).annotate(twice=models.F("id") * 2).order_by("id")
            return [sum(1 for _ in words.iterator(chunk_size=30)), next(words.iterator()).twice]

    def bulk_create():
        with undone():
            Word.objects.bulk_create([Word(id=n, note="d" * 120) for n in range(70_000, 76_000)])
            return Word.objects.filter(id__gte=70_000).aggregate(models.Count("id"), models.Max("note"))

    def upserts():
        with undone():
            first, made = Word.objects.get_or_create(id=80_000, defaults={"note": "a"})
            Word.objects.bulk_create(
                [Word(id=80_000, note="b"), Word(id=80_001, note="c")],
                update_conflicts=True, unique_fields=["id"], update_fields=["note"],
            )
            Word.objects.bulk_update([Word(id=80_001, note="d")], ["note"])
            locked = Word.objects.select_for_update().filter(id__gte=80_000).order_by("id")
            return [made, [word.note for word in locked], Word.objects.in_bulk([80_000])[80_000].note]

    def savepoints():
        with undone():
            Word.objects.create(id=81_000, note="kept")
            with undone():
                Word.objects.all().delete()
            return Word.objects.filter(id=81_000).count()

    def inspectdb():
        out = io.StringIO()
        call_command("inspectdb", stdout=out)
        return [line for line in out.getvalue().split("\n") if not line.startswith("#")]

    def introspection():
        with connection.cursor() as cursor:
            tables = connection.introspection.get_table_list(cursor)
            constraints = connection.introspection.get_constraints(cursor, "orders")
        return [sorted(tables), constraints]

    def explain():
        return Word.objects.filter(id=1).explain().startswith(("Index", "Seq", "Bitmap"))

    steps_of("Django", iterator, bulk_create, upserts, savepoints, inspectdb, introspection, explain)


# The fields of psycopg in which a program is told of a refusal and of a hold.


def fields_of(diag):
    return {
        "sqlstate": diag.sqlstate,
        "schema": diag.schema_name,
        "code": diag.constraint_name,
        "request": diag.table_name,
        "status": diag.column_name,
        "deadline": diag.datatype_name,
        "session": diag.source_function,
    }


def contract(database, sql):
    with psycopg.connect(dbname=database, autocommit=True) as connection:
        notices = []
        connection.add_notice_handler(lambda diag: notices.append(fields_of(diag)))
        try:
            connection.execute(sql)
        except psycopg.Error as error:
            session = connection.pgconn.parameter_status(b"countersign.session_id").decode()
            return {"session": session, "notices": notices, "error": fields_of(error.diag)}


if "HELD_DATABASE" in os.environ:
    report("refused", contract(os.environ["PGDATABASE"], "grant shop_dev_owner to public"))
    report("denied", contract(os.environ["HELD_DATABASE"], "update shop.orders set note = 'psycopg' where id = 44"))
else:
    steps_of(
        "psycopg",
        *[pool_reset, pool_discard, comments, many_with_results, scrolled_cursor, held_cursor, cursor_of_expressions],
        *[notifications, large_statement, states, syntax_error, unique_violation],
    )
    steps_of("asyncpg", pool_release, listening, copies, types, many_and_cursors, fetchmany)
    steps_of("SQLAlchemy", reflect, inspected, stream_results, yield_per, flush, bulk_insert, literal_insert, isolation)
    django_steps()
