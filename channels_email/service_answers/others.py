"""Services without a table of their own: only the status tells, as HTTP means it (RFC 9110)."""

from functools import cache

from channels_email.mail_services import MAIL_SERVICES
from channels_email.service_answers.meanings import account_stopped, key_refused, message_refused
from channels_email.service_answers.rows import Answers, Row, plain_text, usual_rows


@cache
def others(name: str) -> Answers:
    """How a service answers whose errors we have not looked up."""
    service = MAIL_SERVICES[name]
    title, settings = service.title, " and ".join(each.setting for each in service.fields if each.is_needed)
    key = key_refused(title, settings, service.key_is_at)
    return Answers(
        said=plain_text,
        rows=(
            Row(400, message_refused(title)),
            Row(401, key),
            Row(402, account_stopped(title, "it has no credit left", "Look into the account.")),
            Row(403, key),
            Row(422, message_refused(title)),
            *usual_rows(title, f"{name.upper()}_URL"),
        ),
    )
