"""COPY FROM STDIN with psycopg 3, and with libpq's PQexecParams, where people are asked when the data are there. One line of JSON for each step."""
import json

import psycopg


def report(step, value):
    print(json.dumps([step, value]), flush=True)


with psycopg.connect(autocommit=True) as connection:
    with connection.cursor() as cursor:
        with cursor.copy("copy shop.loaded (id, note) from stdin") as copy:
            copy.write_row((80, "one"))
            copy.write_row((81, "two\tand\na half"))
        report("psycopg granted", cursor.rowcount)
        try:
            with cursor.copy("copy shop.loaded (id, note) from stdin (format binary)") as copy:
                copy.set_types(["int4", "text"])
                copy.write_row((82, "denied"))
            report("psycopg denied", "ran")
        except psycopg.Error as error:
            report("psycopg denied", error.sqlstate)

    raw = connection.pgconn
    assert raw.exec_params(b"copy shop.loaded from stdin", None).status == psycopg.pq.ExecStatus.COPY_IN
    raw.put_copy_data(b"83\tof libpq\n")
    raw.put_copy_end()
    done = raw.get_result()
    report("libpq with PQexecParams", done.command_tuples)
    while raw.get_result() is not None:
        pass
    report("and on", connection.execute("select count(*) from shop.loaded where id between 80 and 89").fetchone()[0])
