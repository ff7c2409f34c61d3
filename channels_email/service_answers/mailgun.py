"""Mailgun: https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/error-codes

It speaks by status and words; it takes mails for suppressed addresses, and says so by its webhook only.
"""

from channels_email.service_answers.meanings import (
    account_stopped,
    address_refused,
    key_refused,
    message_refused,
    quota_used_up,
    receivers_limited,
    sender_refused,
    too_large,
)
from channels_email.service_answers.rows import Answers, Row, Said, plain_text, usual_rows
from gateway.channel_contract import Outcome
from gateway.http_window import Reply
from gateway.provider_answers import Meaning

_TITLE = "Mailgun"
_KEY = key_refused(_TITLE, "MAILGUN_API_KEY", "Sending, Domain settings, Sending API keys.")
_DOMAIN = Meaning(
    outcome=Outcome.MISCONFIGURED,
    error_code="domain_unknown",
    sentence="Mailgun knows no such domain of ours.",
    remedy="Check MAILGUN_SENDER_DOMAIN, and that MAILGUN_URL is of the domain's region (US or EU).",
)
_STOPPED = account_stopped(
    _TITLE, "it, or the domain, is disabled", "Read what Mailgun says about it: Sending, Domains."
)
_SANDBOX = receivers_limited(_TITLE, "Add a domain of your own, or the address to the authorized recipients.")


def _said(reply: Reply) -> Said:
    """`message`; a wrong key is answered with one word of plain text."""
    message = reply.json_object().get("message")
    return Said(words=str(message)) if message else plain_text(reply)


MAILGUN = Answers(
    said=_said,
    rows=(
        Row(401, _KEY),
        Row(403, _SANDBOX, words="authorized recipients"),
        Row(403, _STOPPED, words="not allowed to send"),
        Row(403, _STOPPED, words="disabled"),
        Row(403, _KEY),
        Row(400, _SANDBOX, words="authorized recipients"),
        Row(400, address_refused(_TITLE), words="'to' parameter is not a valid address"),
        Row(
            400, sender_refused(_TITLE, "Correct DEFAULT_FROM_EMAIL."), words="'from' parameter is not a valid address"
        ),
        Row(400, quota_used_up(_TITLE), words="limit exceeded"),
        Row(400, _STOPPED, words="not allowed to send"),
        Row(400, too_large(_TITLE), words="message is too big"),
        Row(400, message_refused(_TITLE)),
        Row(402, account_stopped(_TITLE, "a payment is due", "Settle the bill: Billing.")),
        Row(404, _DOMAIN),
        Row(429, quota_used_up(_TITLE), words="limit exceeded"),
        *usual_rows(_TITLE, "MAILGUN_URL"),
    ),
)
