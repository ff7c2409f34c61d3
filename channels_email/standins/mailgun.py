"""Mailgun, as it answers: https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages"""

import base64
import secrets
from email import message_from_bytes
from urllib.parse import parse_qs

from channels_email.standins.mail_service import MailServiceStandIn, Refused, Taken, address_of
from gateway.standin_server import Asked, Given

#: A domain that it does not know.
UNKNOWN_DOMAIN = "unknown.example"


def _says(status: int, message: str, **headers: str) -> Given:
    return Given(status, {"message": message}, {name.replace("_", "-"): value for name, value in headers.items()})


class MailgunStandIn(MailServiceStandIn):
    """Mails at /v3/DOMAIN/messages."""

    name = "mailgun"
    path = "/v3"
    sending = "/[^/]+/messages"
    answers = {
        "400": _says(400, "Send options (parameters starting with o:, h:, or v:) are limited to 16 kB total"),
        "address": _says(400, "'to' parameter is not a valid address. please check documentation"),
        "401": Given(401, b"Forbidden"),
        "sandbox": _says(
            403,
            "Domain sandbox.mailgun.org is not allowed to send: Free accounts are for test purposes only. Please "
            "upgrade or add the address to authorized recipients in Account Settings.",
        ),
        "disabled": _says(403, "Domain mail.example is not allowed to send: The domain is unverified"),
        "402": _says(402, "Payment Required"),
        "404": _says(404, "Domain not found: mail.example"),
        "413": Given(413, b"<html><body>413 Request Entity Too Large</body></html>"),
        "quota": _says(429, "Domain mail.example is not allowed to send: recipient limit exceeded, try again after"),
        "429": _says(429, "Too Many Requests", Retry_After="7"),
        "500": _says(500, "Internal Server Error"),
        "418": _says(418, "Something new"),
    }

    def exports(self) -> dict[str, str]:
        """The settings that point here."""
        domain = {"MAILGUN_SENDER_DOMAIN": "mail.example"}
        return {"MAILGUN_API_KEY": self.key, "MAILGUN_URL": self.service_url} | domain

    def let_in(self, asked: Asked) -> None:
        """By HTTP basic; then it looks for the domain."""
        if asked.headers.get("authorization") != f"Basic {base64.b64encode(f'api:{self.key}'.encode()).decode()}":
            raise Refused(self.answers["401"])
        if UNKNOWN_DOMAIN in asked.path:
            raise Refused(_says(404, f"Domain not found: {UNKNOWN_DOMAIN}"))

    def read(self, asked: Asked) -> Taken:
        """A form; sender, receiver, and text or HTML are required."""
        form = form_of(asked)
        for name in ("from", "to"):
            if not form.get(name):
                raise Refused(_says(400, f"{name} parameter is missing"))
        to = address_of(form["to"][0])
        if "@" not in to:
            raise Refused(self.answers["address"])
        if not form.get("text") and not form.get("html"):
            raise Refused(_says(400, "Need at least one of 'text' or 'html' parameters specified"))
        return Taken(to=to, subject=form.get("subject", [""])[0], whole=form)

    def taken(self, mail: Taken) -> Given:
        """As it documents it."""
        return Given(200, {"id": f"<{secrets.token_hex(8)}@mail.example>", "message": "Queued. Thank you."})


def form_of(asked: Asked) -> dict[str, list[str]]:
    """By name; of a file its name."""
    kind = asked.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        return parse_qs(asked.body.decode(), keep_blank_values=True)
    form: dict[str, list[str]] = {}
    for part in message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + asked.body).walk():
        name = part.get_param("name", header="content-disposition")
        if name:
            content = part.get_payload(decode=True)
            words = content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
            form.setdefault(str(name), []).append(part.get_filename() or words)
    return form
