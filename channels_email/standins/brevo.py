"""Brevo, as it answers: https://developers.brevo.com/reference/sendtransacemail"""

import secrets
from typing import Any

from channels_email.standins.mail_service import MailServiceStandIn, Refused, Taken
from gateway.standin_server import Asked, Given


def _code(status: int, code: str, message: str, **headers: str) -> Given:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Given(status, {"code": code, "message": message}, given)


class BrevoStandIn(MailServiceStandIn):
    """Mails at /v3/smtp/email."""

    name = "brevo"
    path = "/v3"
    sending = "/smtp/email"
    asking = "/account"
    answers = {
        "400": _code(400, "invalid_parameter", "headers is not valid"),
        "missing": _code(400, "missing_parameter", "subject is missing"),
        "address": _code(400, "invalid_parameter", "email is not valid in to"),
        "sender": _code(
            400, "invalid_parameter", "Sending has been rejected because the sender you used is not valid."
        ),
        "401": _code(401, "unauthorized", "Key not found"),
        "credits": _code(402, "not_enough_credits", "Insufficient credits"),
        "not_active": _code(403, "permission_denied", "Unable to send email. Your SMTP account is not yet activated."),
        "validation": _code(403, "account_under_validation", "Your account is under validation."),
        "429": _code(429, "too_many_requests", "Too many requests", x_sib_ratelimit_reset="7"),
        "413": Given(413, b"<html><body>413 Request Entity Too Large</body></html>"),
        "500": _code(500, "internal_error", "Internal Server Error"),
        "418": _code(418, "something_new", "Something new"),
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._keys: set[str] = set()

    def exports(self) -> dict[str, str]:
        """The settings that point here."""
        return {"BREVO_API_KEY": self.key, "BREVO_URL": self.service_url}

    def let_in(self, asked: Asked) -> None:
        """By a header of its own."""
        if asked.headers.get("api-key") != self.key:
            raise Refused(self.answers["401"])

    def about(self) -> Given:
        """Of the account."""
        return Given(200, {"email": "owner@example.com", "plan": [{"type": "free", "credits": 300}]})

    def read(self, asked: Asked) -> Taken:
        """Sender, receiver, subject, and text or HTML are required."""
        body = asked.json()
        if "@" not in str(body.get("sender", {}).get("email", "")):
            raise Refused(_code(400, "missing_parameter", "sender is missing"))
        to = str((body.get("to") or [{}])[0].get("email", ""))
        if "@" not in to or not to.isascii():
            raise Refused(self.answers["address"])
        if not body.get("subject"):
            raise Refused(self.answers["missing"])
        if not body.get("htmlContent") and not body.get("textContent"):
            raise Refused(_code(400, "missing_parameter", "Either of htmlContent or textContent is required"))
        return Taken(to=to, subject=body["subject"], whole=body)

    def taken(self, mail: Taken) -> Given:
        """A key that it had within half an hour it does not take again."""
        key = mail.whole.get("headers", {}).get("idempotencyKey")
        if key in self._keys:
            return _code(400, "duplicate_parameter", "idempotencyKey has been used already")
        if key:
            self._keys.add(key)
        return Given(201, {"messageId": f"<{secrets.token_hex(8)}@smtp-relay.mailin.fr>"})
