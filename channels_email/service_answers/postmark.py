"""Postmark: https://postmarkapp.com/developer/api/overview#error-codes

An answer with status 422 has a code of Postmark's own. A 403 without one comes from a machine before the service.
"""

from channels_email.service_answers.meanings import (
    account_stopped,
    address_refused,
    address_suppressed,
    key_refused,
    message_refused,
    receivers_limited,
    sender_refused,
    trouble,
)
from channels_email.service_answers.rows import Answers, Row, members, usual_rows
from gateway.channel_contract import Outcome
from gateway.provider_answers import Meaning

_TITLE = "Postmark"
_KEY = key_refused(_TITLE, "POSTMARK_SERVER_TOKEN", "the server, API Tokens (not the account's token).")
_SENDER = sender_refused(_TITLE, "Confirm it, or its domain: Sender Signatures.")
_MESSAGE = message_refused(_TITLE)
_STREAM = Meaning(
    outcome=Outcome.MISCONFIGURED,
    error_code="stream_unknown",
    sentence="Postmark has no such message stream for these mails.",
    remedy="Check POSTMARK_MESSAGE_STREAM against the server's streams.",
)
_BLOCKED = Meaning(
    outcome=Outcome.TRANSIENT,
    error_code="blocked_before_service",
    sentence="A machine before Postmark refused the request.",
    remedy="Tell Postmark's support, with the time.",
)


POSTMARK = Answers(
    said=members(code="ErrorCode", words="Message"),
    rows=(
        Row(0, _KEY, code="10"),
        Row(401, _KEY),
        Row(0, trouble(_TITLE), code="100"),
        Row(422, address_refused(_TITLE), code="300", words="'to'"),
        Row(422, _SENDER, code="300", words="'from'"),
        Row(422, _MESSAGE, code="300"),
        Row(422, _SENDER, code="400"),
        Row(422, _SENDER, code="401"),
        Row(422, _MESSAGE, code="402"),
        Row(422, _MESSAGE, code="403"),
        Row(422, account_stopped(_TITLE, "its mails are used up", "Buy more: Account, Billing."), code="405"),
        Row(422, address_suppressed(_TITLE), code="406"),
        Row(422, _MESSAGE, code="409"),
        Row(422, _MESSAGE, code="411"),
        Row(
            422,
            receivers_limited(_TITLE, "Ask Postmark to approve the account; until then it writes to your own domain."),
            code="412",
        ),
        Row(422, account_stopped(_TITLE, "it is disabled", "Ask Postmark's support."), code="413"),
        Row(422, _STREAM, code="1226"),
        Row(422, _STREAM, code="1235"),
        Row(422, _STREAM, code="1236"),
        Row(403, _BLOCKED),
        *usual_rows(_TITLE, "POSTMARK_URL"),
    ),
)
