"""Postmark, as it answers: https://postmarkapp.com/developer/api/email-api"""

import uuid
from datetime import UTC, datetime

from channels_email.standins.mail_service import MailServiceStandIn, Refused, Taken, address_of
from gateway.standin_server import Asked, Given


def _code(code: int, message: str, status: int = 422) -> Given:
    return Given(status, {"ErrorCode": code, "Message": message})


class PostmarkStandIn(MailServiceStandIn):
    """Mails at /email."""

    name = "postmark"
    sending = "/email"
    asking = "/server"
    answers = {
        "401": _code(
            10, "The Server Token you provided in the X-Postmark-Server-Token request header was invalid.", 401
        ),
        "maintenance": _code(100, "The Postmark API is offline for maintenance.", 503),
        "address": _code(300, "Invalid 'To' address: 'nobody'."),
        "from": _code(300, "Invalid 'From' address: 'nobody'."),
        "300": _code(300, "Zero recipients specified"),
        "sender": _code(400, "The 'From' address you supplied is not a Sender Signature on your account."),
        "unconfirmed": _code(401, "The Sender Signature you are trying to send with has not been confirmed."),
        "405": _code(405, "You ran out of credits."),
        "suppressed": _code(
            406,
            "You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses: "
            "nobody@example.com. Inactive recipients are ones that have generated a hard bounce, a spam complaint, "
            "or a manual suppression.",
        ),
        "pending": _code(412, "While your account is pending approval, all recipient addresses must share the domain."),
        "disabled": _code(413, "Account May Not Send"),
        "stream": _code(1235, "The 'MessageStream' provided does not exist on this server."),
        "403": Given(403, b"<html><head><title>403 Forbidden</title></head></html>"),
        "413": Given(413, b"<html><body>413 Request Entity Too Large</body></html>"),
        "429": Given(429, {"ErrorCode": 429, "Message": "Rate Limit Exceeded"}, {"Retry-After": "7"}),
        "500": Given(500, {"ErrorCode": 0, "Message": "Internal Server Error"}),
        "418": _code(9999, "Something new"),
    }

    def exports(self) -> dict[str, str]:
        """The settings that point here."""
        return {"POSTMARK_SERVER_TOKEN": self.key, "POSTMARK_URL": self.service_url}

    def let_in(self, asked: Asked) -> None:
        """By the token of a server."""
        if asked.headers.get("x-postmark-server-token") != self.key:
            raise Refused(self.answers["401"])
        if asked.headers.get("accept") not in (None, "application/json"):
            raise Refused(_code(409, "Your HTTP request does not have the Accept header application/json."))

    def about(self) -> Given:
        """Of the server."""
        return Given(200, {"ID": 1, "Name": "Stand-in", "DeliveryType": "Sandbox"})

    def read(self, asked: Asked) -> Taken:
        """Sender, receiver, and text or HTML are required."""
        body = asked.json()
        if "@" not in address_of(body.get("From")):
            raise Refused(self.answers["from"])
        to = address_of(body.get("To"))
        if "@" not in to or not to.isascii():
            raise Refused(self.answers["address"])
        if not body.get("TextBody") and not body.get("HtmlBody"):
            raise Refused(_code(300, "Provide either email TextBody or HtmlBody or both."))
        return Taken(to=to, subject=body.get("Subject", ""), whole=body)

    def taken(self, mail: Taken) -> Given:
        """As it documents it."""
        told = {"To": mail.to, "SubmittedAt": datetime.now(UTC).isoformat(), "MessageID": str(uuid.uuid4())}
        return Given(200, told | {"ErrorCode": 0, "Message": "OK"})
