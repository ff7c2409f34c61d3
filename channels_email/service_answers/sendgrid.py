"""SendGrid: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send#responses

It takes mails for addresses on its suppression lists, and says so by its webhook only.
"""

from channels_email.service_answers.meanings import (
    account_stopped,
    address_refused,
    key_refused,
    message_refused,
    sender_refused,
)
from channels_email.service_answers.rows import Answers, Row, Said, usual_rows
from gateway.http_window import Reply

_TITLE = "SendGrid"
_KEY = key_refused(_TITLE, "SENDGRID_API_KEY", "Settings, API Keys; it needs the permission Mail Send.")
_SENDER = sender_refused(_TITLE, "Verify it, or its domain: Settings, Sender Authentication.")
_MESSAGE = message_refused(_TITLE)
_NO_CREDIT = account_stopped(_TITLE, "its mails are used up", "Choose a larger plan, or wait for the next period.")


def _said(reply: Reply) -> Said:
    """The first of `errors`; its field is the nearest to a code that SendGrid has."""
    errors = reply.json_object().get("errors")
    first = next((each for each in errors if isinstance(each, dict)), {}) if isinstance(errors, list) else {}
    field = str(first.get("field") or "")
    return Said(code="to" if ".to." in f"{field}." else field, words=str(first.get("message") or ""))


SENDGRID = Answers(
    said=_said,
    rows=(
        Row(401, _NO_CREDIT, words="maximum credits exceeded"),
        Row(401, _KEY),
        Row(403, _SENDER, words="verified sender identity"),
        Row(403, _SENDER, words="from address"),
        Row(403, _KEY),
        Row(400, address_refused(_TITLE), code="to"),
        Row(400, _SENDER, code="from.email", words="verified"),
        Row(400, _MESSAGE),
        Row(406, _MESSAGE),
        Row(415, _MESSAGE),
        *usual_rows(_TITLE, "SENDGRID_URL"),
    ),
)
