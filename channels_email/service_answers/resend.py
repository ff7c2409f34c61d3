"""Resend: https://resend.com/docs/api-reference/errors

It takes mails for suppressed addresses, and says so by its webhook only.
"""

from datetime import timedelta

from channels_email.service_answers.meanings import (
    account_stopped,
    address_refused,
    had_before,
    key_refused,
    message_refused,
    quota_used_up,
    receivers_limited,
    sender_refused,
    too_fast,
    trouble,
)
from channels_email.service_answers.rows import Answers, Row, members, usual_rows
from gateway.channel_contract import Outcome
from gateway.provider_answers import Meaning

_TITLE = "Resend"
_KEY = key_refused(_TITLE, "RESEND_API_KEY", "API Keys.")
_SENDER = sender_refused(_TITLE, "Add its domain and verify it: Domains.")
_MESSAGE = message_refused(_TITLE)
_IN_PROGRESS = Meaning(
    outcome=Outcome.TRANSIENT,
    error_code="in_progress",
    sentence="Resend is still busy with an earlier try of this mail.",
    wait=timedelta(seconds=30),
)


RESEND = Answers(
    said=members(code="name", words="message"),
    rows=(
        Row(409, had_before(_TITLE), code="invalid_idempotent_request"),
        Row(409, _IN_PROGRESS, code="concurrent_idempotent_requests"),
        Row(401, _KEY, code="missing_api_key"),
        Row(401, _KEY, code="restricted_api_key"),
        Row(401, _KEY),
        Row(403, _KEY, code="invalid_api_key"),
        Row(400, _KEY, code="validation_error", words="api key is invalid"),
        Row(403, receivers_limited(_TITLE, "Verify a domain and send from it: Domains."), words="testing emails"),
        Row(403, _SENDER, code="validation_error"),
        Row(403, _SENDER, words="not verified"),
        Row(403, _KEY),
        Row(422, _SENDER, code="invalid_from_address"),
        Row(422, _SENDER, words="`from` field"),
        Row(422, address_refused(_TITLE), words="`to` field"),
        Row(422, _MESSAGE),
        Row(400, _MESSAGE),
        Row(429, quota_used_up(_TITLE), code="daily_quota_exceeded"),
        Row(429, quota_used_up(_TITLE), code="monthly_quota_exceeded"),
        Row(429, too_fast(_TITLE), code="rate_limit_exceeded"),
        Row(
            451, account_stopped(_TITLE, "a security check stopped it", "Ask Resend's support."), code="security_error"
        ),
        Row(500, trouble(_TITLE), code="application_error"),
        Row(500, trouble(_TITLE), code="internal_server_error"),
        *usual_rows(_TITLE, "RESEND_URL"),
    ),
)
