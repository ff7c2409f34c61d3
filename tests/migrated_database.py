"""The database of the tests: migrated once a run and copied for every worker. After a test without a transaction around
it everything is as the migrations left it.

Django would migrate once per worker, truncate every table after such a test and put the migrated rows back one by one.
"""

# ruff: noqa: S608  names of tables come from the models
import fcntl
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from tests.status_guard import install_status_guard

#: Here PostgreSQL has the rows that the migrations made, and the function that puts them back.
KEPT = "as_migrated"
#: The same of SQLite: table → rows, in the order of the first column.
KEPT_ROWS = {}


class CopyOfMigratedDatabase:
    """The database of one worker. The first of a run migrates while others wait; the last one tidies up."""

    def __init__(self, shared: Path, worker: str):
        """`shared`: a folder of this run, the same for all its workers."""
        self._shared = shared
        self._worker = worker
        self._usual = connection.settings_dict["NAME"]
        self._name_kept = shared / "name_of_migrated_database"

    def make(self):
        """From now on the connection goes there."""
        if connection.vendor == "sqlite":
            # A file, as in earnest: in memory, threads would get errors where they should wait.
            connection.settings_dict["TEST"]["NAME"] = str(self._shared / "test.sqlite3")
        with self._alone():
            if not self._is_used():
                self._name_kept.write_text(migrate())
            point_to(self._migrated)
            connection.creation.clone_test_db(suffix=self._worker, verbosity=0, autoclobber=True)
            self._mark.touch()
        point_to(connection.creation.get_test_db_clone_settings(self._worker)["NAME"])
        forget_power_cuts()
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                KEPT_ROWS.update({table: rows(cursor, table) for table in tables()})

    def remove(self):
        drop(connection.settings_dict["NAME"])
        with self._alone():
            self._mark.unlink()
            if not self._is_used():
                drop(self._migrated)
        point_to(self._usual)

    @contextmanager
    def name_to_copy(self):
        """Of the database as the migrations left it, for a copy by the one who asks; nobody else copies meanwhile."""
        with self._alone():
            yield self._migrated

    @property
    def _migrated(self):
        return self._name_kept.read_text()

    @property
    def _mark(self):
        return self._shared / f"{self._worker}.uses"

    def _is_used(self):
        return any(self._shared.glob("*.uses"))

    @contextmanager
    def _alone(self):
        with (self._shared / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def migrate():
    """A new database; its name."""
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    if connection.vendor == "postgresql":
        install_status_guard()
        install_restore()
    return name


def drop(name):
    """A thread that a test has left behind may still be connected."""
    connection.close()
    if connection.vendor == "sqlite":
        Path(name).unlink()
        return
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE {connection.ops.quote_name(name)} WITH (FORCE)")


def point_to(name):
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


def forget_power_cuts():
    """What tests commit need not survive one."""
    if connection.vendor == "sqlite":
        connection.settings_dict["OPTIONS"]["init_command"] += " PRAGMA synchronous=OFF;"
    else:
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit TO off")
    connection.close()


def restore():
    """Everything as the migrations left it. Most tables are empty and stay untouched: that makes it quick.

    Foreign keys are looked at when the transaction ends, so tables come in any order. Counters of keys go on.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SELECT {KEPT}.restore()")
        else:
            restore_on_sqlite(cursor)


def tables():
    return sorted(connection.introspection.django_table_names(only_existing=True, include_views=False))


# --- PostgreSQL: one function, one round trip -------------------------------------------------------------------------
def install_restore():
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {KEPT}")
        steps = "\n".join(step(cursor, table) for table in tables())
        cursor.execute(f"CREATE FUNCTION {KEPT}.restore() RETURNS void LANGUAGE plpgsql AS $$ BEGIN\n{steps}\nEND $$")


def step(cursor, table):
    """What empties or restores a table; the rows it has now are kept aside."""
    cursor.execute(f"SELECT EXISTS (SELECT FROM public.{table})")
    if not cursor.fetchone()[0]:
        return f"IF EXISTS (SELECT FROM public.{table}) THEN DELETE FROM public.{table}; END IF;"
    cursor.execute(f"CREATE TABLE {KEPT}.{table} AS TABLE public.{table}")
    content = "(SELECT (count(*), sum(hashtextextended(each::text, 0))) FROM {}.{} each)"
    return (
        f"IF {content.format('public', table)} <> {content.format(KEPT, table)} THEN "
        f"DELETE FROM public.{table}; INSERT INTO public.{table} TABLE {KEPT}.{table}; END IF;"
    )


# --- SQLite: the rows are kept here -----------------------------------------------------------------------------------
def rows(cursor, table, most=-1):
    cursor.execute(f"SELECT * FROM {table} ORDER BY 1 LIMIT {most}")
    return cursor.fetchall()


def restore_on_sqlite(cursor):
    for table, kept in KEPT_ROWS.items():
        if rows(cursor, table, most=len(kept) + 1) == kept:
            continue
        cursor.execute(f"DELETE FROM {table}")
        if kept:
            places = ", ".join(["%s"] * len(kept[0]))
            cursor.executemany(f"INSERT INTO {table} VALUES ({places})", kept)
