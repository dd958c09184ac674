"""An agent with psycopg 3: reads, and writes what people countersign. Needs: pip install 'psycopg[binary]'"""

import os
import sys
import threading

import psycopg

OURS = "countersign"
PATIENCE = float(os.environ.get("PATIENCE_SECONDS", 3600))


def told(notice):
    if notice.schema_name == OURS:  # fields: docs/errors.md
        print(f"{notice.constraint_name} request {notice.table_name} until {notice.datatype_name}", flush=True)


def run(connection, statement):
    giving_up = threading.Timer(PATIENCE, connection.cancel_safe)
    giving_up.start()
    try:
        print("ran", connection.execute(statement).rowcount, flush=True)
    except psycopg.Error as error:
        if error.diag.schema_name != OURS:
            raise  # PostgreSQL's own
        print(error.diag.constraint_name, error.diag.column_name, error.diag.message_detail, flush=True)
    finally:
        giving_up.cancel()


# Host, port, profile, agent and token come from PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD.
with psycopg.connect(autocommit=True, options="-c statement_timeout=0") as connection:
    connection.add_notice_handler(told)
    print("session", connection.info.parameter_status("countersign.session_id"))
    print("read", connection.execute("select id, email from shop.customers order by id limit 1").fetchone(), flush=True)
    for statement in sys.argv[1:]:
        run(connection, statement)
