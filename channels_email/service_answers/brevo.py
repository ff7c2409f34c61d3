"""Brevo: https://developers.brevo.com/docs/how-it-works#error-codes

It takes mails for blocked addresses, and says so by its webhook only. A repeated key is refused for half an hour:
https://developers.brevo.com/docs/heterogenous-versions-batch-emails
"""

from channels_email.service_answers.meanings import (
    account_stopped,
    address_refused,
    had_before,
    key_refused,
    message_refused,
    sender_refused,
)
from channels_email.service_answers.rows import Answers, Row, members, usual_rows

_TITLE = "Brevo"
_KEY = key_refused(
    _TITLE, "BREVO_API_KEY", "SMTP & API, API keys; where addresses are restricted, allow this machine's."
)
_SENDER = sender_refused(_TITLE, "Verify it, or its domain: Senders, Domains & Dedicated IPs.")
_MESSAGE = message_refused(_TITLE)
_NO_CREDIT = account_stopped(_TITLE, "it has no credit left", "Buy more, or wait for the next day.")
_NOT_YET = account_stopped(
    _TITLE, "it is not activated for transactional mail", "Complete its profile, or ask support."
)


BREVO = Answers(
    said=members(code="code", words="message"),
    rows=(
        Row(0, had_before(_TITLE), code="duplicate_parameter"),
        Row(0, had_before(_TITLE), code="duplicate_request"),
        Row(0, _NO_CREDIT, code="not_enough_credits"),
        Row(0, _NOT_YET, code="account_under_validation"),
        Row(0, _NOT_YET, code="permission_denied"),
        Row(0, _NOT_YET, code="reseller_permission_denied"),
        Row(400, address_refused(_TITLE), code="invalid_parameter", words="email is not valid in to"),
        Row(400, _SENDER, code="invalid_parameter", words="sender"),
        Row(400, _SENDER, code="missing_parameter", words="sender"),
        Row(0, _MESSAGE, code="invalid_parameter"),
        Row(0, _MESSAGE, code="missing_parameter"),
        Row(0, _MESSAGE, code="out_of_range"),
        Row(400, _MESSAGE, code="bad_request"),
        Row(406, _MESSAGE),
        Row(401, _KEY),
        Row(402, _NO_CREDIT),
        Row(403, _KEY),
        *usual_rows(_TITLE, "BREVO_URL"),
    ),
)
