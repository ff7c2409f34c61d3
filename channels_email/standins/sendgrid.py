"""SendGrid, as it answers: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send"""

import secrets
from typing import Any

from channels_email.standins.mail_service import MailServiceStandIn, Refused, Taken, bearer
from gateway.standin_server import Asked, Given

#: It sets these itself.
RESERVED = {"received", "dkim-signature", "content-type", "to", "from", "subject", "reply-to", "cc", "bcc"}


def _errors(status: int, message: str, field: str | None = None, **headers: str) -> Given:
    said = {"errors": [{"message": message, "field": field, "help": None}]}
    return Given(status, said, {name.replace("_", "-"): value for name, value in headers.items()})


class SendGridStandIn(MailServiceStandIn):
    """Mails at /v3/mail/send."""

    name = "sendgrid"
    path = "/v3"
    sending = "/mail/send"
    asking = "/scopes"
    answers = {
        "400": _errors(400, "Bad Request"),
        "address": _errors(400, "Does not contain a valid address.", "personalizations.0.to.0.email"),
        "401": _errors(401, "The provided authorization grant is invalid, expired, or revoked"),
        "credits": _errors(401, "Maximum credits exceeded"),
        "sender": _errors(
            403,
            "The from address does not match a verified Sender Identity. Mail cannot be sent until this error is "
            "resolved.",
            "from",
        ),
        "403": _errors(403, "access forbidden"),
        "413": _errors(413, "Payload too large"),
        "429": _errors(429, "too many requests", Retry_After="7"),
        "429-reset": _errors(429, "too many requests", X_RateLimit_Reset="9999999999"),
        "500": _errors(500, "Internal Server Error"),
        "418": _errors(418, "something new"),
    }

    def exports(self) -> dict[str, str]:
        """The settings that point here."""
        return {"SENDGRID_API_KEY": self.key, "SENDGRID_URL": self.service_url}

    def let_in(self, asked: Asked) -> None:
        """By its key."""
        if bearer(asked) != self.key:
            raise Refused(self.answers["401"])
        if asked.method == "POST" and asked.headers.get("content-type") != "application/json":
            raise Refused(_errors(415, "Content-Type should be application/json."))

    def about(self) -> Given:
        """What the key may do."""
        return Given(200, {"scopes": ["mail.send", "sender_verification_eligible"]})

    def read(self, asked: Asked) -> Taken:
        """Personalizations, sender, subject and content are required."""
        body = asked.json()
        to = self._one_receiver(body)
        if "@" not in str(body.get("from", {}).get("email", "")):
            raise Refused(_errors(400, "The from email does not contain a valid address.", "from.email"))
        if not body.get("subject"):
            raise Refused(_errors(400, "The subject is required. You can get around this requirement.", "subject"))
        kinds = [each.get("type") for each in body.get("content") or []]
        if not kinds or kinds not in (["text/plain"], ["text/html"], ["text/plain", "text/html"]):
            raise Refused(_errors(400, "Unless a valid template_id is provided, the content is required.", "content"))
        if RESERVED & {name.lower() for name in body.get("headers", {})}:
            raise Refused(_errors(400, "The headers contain a reserved name.", "headers"))
        return Taken(to=to, subject=body["subject"], whole=body)

    def taken(self, mail: Taken) -> Given:
        """Without a body; the id is in a header."""
        return Given(202, None, {"X-Message-Id": secrets.token_urlsafe(16)})

    @staticmethod
    def _one_receiver(body: dict[str, Any]) -> str:
        people = body.get("personalizations") or [{}]
        to = str((people[0].get("to") or [{}])[0].get("email", ""))
        if not to.isascii() or "@" not in to:
            raise Refused(_errors(400, "Does not contain a valid address.", "personalizations.0.to.0.email"))
        return to
