"""On PostgreSQL the database itself refuses every change of status that is not in the table of `gateway.statuses`."""

from django.db import connection

from gateway import statuses


def install_status_guard() -> None:
    """Once per test database; from then on every test checks the table."""
    pairs = sorted({f"{source}>{change.target}" for change in statuses.CHANGES for source in change.sources})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE OR REPLACE FUNCTION refuse_unknown_status_change() RETURNS trigger AS $$
            BEGIN
                RAISE EXCEPTION 'No such change of status: % to %', OLD.status, NEW.status;
            END
            $$ LANGUAGE plpgsql
            """
        )
        known = ", ".join(f"'{pair}'" for pair in pairs)
        cursor.execute(
            f"""
            CREATE OR REPLACE TRIGGER only_known_status_changes BEFORE UPDATE ON gateway_notification FOR EACH ROW
            WHEN (OLD.status <> NEW.status AND OLD.status || '>' || NEW.status NOT IN ({known}))
            EXECUTE FUNCTION refuse_unknown_status_change()
            """
        )
