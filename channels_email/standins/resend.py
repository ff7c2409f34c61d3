"""Resend, as it answers: https://resend.com/docs/api-reference/emails/send-email"""

import uuid
from typing import Any

from channels_email.standins.mail_service import MailServiceStandIn, Refused, Taken, address_of, bearer
from gateway.standin_server import Asked, Given


def _name(status: int, name: str, message: str, **headers: str) -> Given:
    given = {each.replace("_", "-"): value for each, value in headers.items()}
    return Given(status, {"statusCode": status, "name": name, "message": message}, given)


class ResendStandIn(MailServiceStandIn):
    """Mails at /emails."""

    name = "resend"
    sending = "/emails"
    asking = "/domains"
    answers = {
        "400": _name(400, "validation_error", "We found an error with one or more fields in the request."),
        "address": _name(
            422,
            "validation_error",
            "Invalid `to` field. The email address needs to follow the `email@example.com` format.",
        ),
        "from": _name(422, "validation_error", "Invalid `from` field."),
        "422": _name(422, "missing_required_field", "Missing `subject` field."),
        "attachment": _name(422, "invalid_attachment", "Attachment must have either a `content` or `path`."),
        "missing": _name(401, "missing_api_key", "Missing API key in the authorization header."),
        "401": _name(401, "restricted_api_key", "This API key is restricted to only send emails."),
        "403": _name(403, "invalid_api_key", "API key is invalid."),
        "sandbox": _name(
            403, "validation_error", "You can only send testing emails to your own email address (owner@example.com)."
        ),
        "sender": _name(403, "validation_error", "The mail.example domain is not verified."),
        "409": _name(409, "concurrent_idempotent_requests", "Another request is in progress with the same key."),
        "429": _name(429, "rate_limit_exceeded", "Too many requests.", Retry_After="7"),
        "429-reset": _name(429, "rate_limit_exceeded", "Too many requests.", ratelimit_reset="3"),
        "quota": _name(429, "daily_quota_exceeded", "You have reached your daily email sending quota."),
        "451": _name(451, "security_error", "We may have found a security issue with the request."),
        "500": _name(500, "application_error", "An unexpected error occurred."),
        "418": _name(418, "something_new", "Something new."),
    }
    not_found = _name(404, "not_found", "The requested endpoint does not exist.")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        #: The key that may only send.
        self.sending_key = ""
        self._given: dict[str, tuple[bytes, Given]] = {}

    def exports(self) -> dict[str, str]:
        """The settings that point here."""
        return {"RESEND_API_KEY": self.key, "RESEND_URL": self.service_url}

    def let_in(self, asked: Asked) -> None:
        """By its key; and it wants to know who asks."""
        if not asked.headers.get("user-agent"):
            raise Refused(Given(403, b"error code: 1010"))
        if not asked.headers.get("authorization"):
            raise Refused(self.answers["missing"])
        if self.sending_key and bearer(asked) == self.sending_key:
            if asked.method == "GET":
                raise Refused(self.answers["401"])
        elif bearer(asked) != self.key:
            raise Refused(self.answers["403"])

    def about(self) -> Given:
        """Its domains."""
        return Given(200, {"object": "list", "data": [{"name": "mail.example", "status": "verified"}]})

    def read(self, asked: Asked) -> Taken:
        """Sender, receiver and subject are required."""
        body = asked.json()
        if "@" not in address_of(body.get("from")):
            raise Refused(self.answers["from"])
        to = address_of((body.get("to") or [""])[0])
        if "@" not in to or not to.isascii():
            raise Refused(self.answers["address"])
        if not body.get("subject"):
            raise Refused(self.answers["422"])
        key = asked.headers.get("idempotency-key", "")
        return Taken(to=to, subject=body["subject"], whole=body | {"key": key, "raw": asked.body.decode()})

    def taken(self, mail: Taken) -> Given:
        """The same key gets the same answer, for the same mail."""
        key, raw = mail.whole.pop("key"), mail.whole.pop("raw").encode()
        if key in self._given:
            had, given = self._given[key]
            message = "This idempotency key has been used with a different request payload."
            return given if had == raw else _name(409, "invalid_idempotent_request", message)
        given = Given(200, {"id": str(uuid.uuid4())})
        if key:
            self._given[key] = (raw, given)
        return given
