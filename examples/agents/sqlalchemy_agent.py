"""An agent with SQLAlchemy. Needs: pip install sqlalchemy 'psycopg[binary]'"""

import os
import sys
import threading

import sqlalchemy

OURS = "countersign"
PATIENCE = float(os.environ.get("PATIENCE_SECONDS", 3600))
# AUTOCOMMIT: a statement that is held keeps no transaction open. psycopg takes the rest from PGHOST, PGPASSWORD …
engine = sqlalchemy.create_engine("postgresql+psycopg://", isolation_level="AUTOCOMMIT", pool_pre_ping=True)


@sqlalchemy.event.listens_for(engine, "connect")
def listen(connection, _):
    def told(notice):
        if notice.schema_name == OURS:  # fields: docs/errors.md
            print(f"{notice.constraint_name} request {notice.table_name} until {notice.datatype_name}", flush=True)

    connection.add_notice_handler(told)


with engine.connect() as connection:
    first = connection.exec_driver_sql("select id, email from shop.customers order by id limit 1").first()
    print("read", first, flush=True)
    for statement in sys.argv[1:]:
        giving_up = threading.Timer(PATIENCE, connection.connection.driver_connection.cancel_safe)
        giving_up.start()
        try:
            print("ran", connection.exec_driver_sql(statement).rowcount, flush=True)
        except sqlalchemy.exc.DBAPIError as error:
            said = error.orig.diag
            if said.schema_name != OURS:
                raise  # PostgreSQL's own
            print(said.constraint_name, said.column_name, said.message_detail, flush=True)
        finally:
            giving_up.cancel()
