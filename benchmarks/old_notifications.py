"""Millions of notifications of long ago, written by SQL: rows, attempts and events as real ones have them."""

from contextlib import suppress

from psycopg.errors import InsufficientPrivilege

from benchmarks.ledger import Ledger

#: What became of them, in per mille; the rest was sent.
ENDINGS = {"delivered": 300, "failed": 10, "bounced": 10, "suppressed": 15, "expired": 3, "cancelled": 2}
#: Written in one statement.
AT_ONCE = 100_000

#: UUIDs of version 7 as they would have been made then: milliseconds first, so that they lie in order in the index.
_UUID7 = (
    "(lpad(to_hex((extract(epoch FROM {moment}) * 1000)::bigint), 12, '0') || '7' || substr(md5('{salt}' || n), 1, 3)"
    " || '8' || substr(md5('{salt}' || n), 4, 15))::uuid"
)
_NOTIFICATIONS = """
INSERT INTO gateway_notification (
    id, client, mode, request_id, fingerprint, correlation_id, channel, user_id, user_public_id, template_id,
    template_version_id, locale, category_code, variables, metadata, priority, is_simulated, first_answer, status,
    reason, reason_data, waiting_for, available_at, expires_at, claimed_by, crash_count, published_at, publish_count,
    attempt_count, tries_used, provider, awaits_news, possible_duplicate, complained, created_at, updated_at, sent_at)
SELECT {id}, client, mode, 'old-' || n, md5('f' || n) || md5('g' || n), correlation_id, channel, people.id,
       people.external_id, template_id, template_version_id, locale, category_code, variables, metadata, priority,
       is_simulated, first_answer, ends.status, ends.status, reason_data, '', moment, moment + interval '3 days',
       'email_consumer@host:1', 0, moment, 1, 1, 0, 'smtp', false, false, false, moment, moment + interval '1 second',
       CASE WHEN ends.status IN ('sent', 'delivered', 'bounced') THEN moment + interval '1 second' END
  FROM (SELECT n, now() - interval '1 day' - interval '60 days' * (1 - n / {total}::float) AS moment
          FROM generate_series(%s::int, %s::int) AS n) AS numbers
  JOIN LATERAL (SELECT {ending} AS status) AS ends ON true
  JOIN old_people AS people ON people.number = n %% {people}
 CROSS JOIN old_sample AS sample
"""
_ATTEMPTS = """
INSERT INTO gateway_deliveryattempt (
    id, notification_id, number, provider, claim_token, outcome, error_code, provider_code, detail,
    provider_message_id, started_at, ended_at, duration_ms)
SELECT {id}, {notification}, 1, 'smtp', gen_random_uuid(), 'accepted', '', '250', '2.0.0 Ok', '', moment,
       moment + interval '5 milliseconds', 5
  FROM (SELECT n, now() - interval '1 day' - interval '60 days' * (1 - n / {total}::float) AS moment
          FROM generate_series(%s::int, %s::int) AS n) AS numbers
"""
_EVENTS = """
INSERT INTO gateway_notificationevent (notification_id, type, at, reason, data)
SELECT {notification}, 'sent', moment + interval '1 second', 'sent', '{{"provider": "smtp"}}'
  FROM (SELECT n, now() - interval '1 day' - interval '60 days' * (1 - n / {total}::float) AS moment
          FROM generate_series(%s::int, %s::int) AS n) AS numbers
"""


def add_old_ones(ledger: Ledger, count: int) -> None:
    """So many, older than a day, in the order of their making; the tables are vacuumed as the server would in time.

    What a notification consists of is copied from one that the platform has just accepted.
    """
    ledger.execute("CREATE TEMP TABLE old_sample AS SELECT * FROM gateway_notification ORDER BY id DESC LIMIT 1")
    ledger.execute(
        "CREATE TEMP TABLE old_people AS SELECT row_number() OVER () - 1 AS number, id, external_id FROM users_user"
        " WHERE external_id IS NOT NULL"
    )
    with suppress(InsufficientPrivilege):
        # A superuser can save the server the look-up of every foreign key; it takes half of the time.
        ledger.execute("SET session_replication_role = replica")
    people = ledger.ask("SELECT count(*) FROM old_people")
    parts = {
        "total": count,
        "people": people,
        "ending": _ending(),
        "notification": _UUID7.format(moment="moment", salt="n"),
    }
    salts = {_NOTIFICATIONS: "n", _ATTEMPTS: "a", _EVENTS: "e"}
    for first in range(1, count + 1, AT_ONCE):
        last = min(first + AT_ONCE - 1, count)
        ledger.execute("BEGIN")  # now() stays the same: the three agree on the moments
        for statement, salt in salts.items():
            made = statement.format(id=_UUID7.format(moment="moment", salt=salt), **parts)
            ledger.execute(made, first, last)
        ledger.execute("COMMIT")
    for table in ("gateway_notification", "gateway_deliveryattempt", "gateway_notificationevent"):
        ledger.execute(f"VACUUM ANALYZE {table}")
    ledger.execute("CHECKPOINT")


def _ending() -> str:
    """Which ending the n-th has: a CASE over its hash, so that they are mixed."""
    words, so_far = "CASE", 0
    for status, share in ENDINGS.items():
        so_far += share
        words += f" WHEN abs(hashint4(n)) %% 1000 < {so_far} THEN '{status}'"
    return f"{words} ELSE 'sent' END"
