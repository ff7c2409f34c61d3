"""Amazon SES, version 2, as it answers: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html

It looks for a signature made with its key (SigV4), not for the signature's value.
"""

import base64
import binascii
import re
import secrets
from email import message_from_bytes

from channels_email.standins.mail_service import MailServiceStandIn, Refused, Taken
from gateway.standin_server import Asked, Given

_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[a-z0-9-]+)/ses/aws4_request, "
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), Signature=[0-9a-f]{64}"
)


def _error(status: int, kind: str, message: str) -> Given:
    return Given(status, {"message": message}, {"x-amzn-ErrorType": f"{kind}:http://internal.amazon.com/coral/"})


class AmazonSesStandIn(MailServiceStandIn):
    """Mails at /v2/email/outbound-emails."""

    name = "amazon_ses"
    sending = "/v2/email/outbound-emails"
    asking = "/v2/email/account"
    answers = {
        "400": _error(400, "BadRequestException", "Invalid parameter."),
        "address": _error(400, "BadRequestException", "Illegal address"),
        "large": _error(400, "BadRequestException", "Message length is more than 41943040 bytes long."),
        "rejected": _error(400, "MessageRejected", "Transaction failed: content rejected."),
        "sandbox": _error(
            400,
            "MessageRejected",
            "Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: "
            "nobody@example.com",
        ),
        "sender": _error(400, "MailFromDomainNotVerifiedException", "The MAIL FROM domain is not verified."),
        "suspended": _error(400, "AccountSuspendedException", "Account suspended."),
        "paused": _error(400, "SendingPausedException", "Sending paused."),
        "set": _error(404, "NotFoundException", "Configuration set <none> does not exist."),
        "401": _error(403, "UnrecognizedClientException", "The security token included in the request is invalid."),
        "signature": _error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match."),
        "clock": _error(403, "InvalidSignatureException", "Signature expired: 20260101T000000Z is now earlier than"),
        "403": _error(403, "AccessDeniedException", "User is not authorized to perform: ses:SendEmail"),
        "429": _error(429, "TooManyRequestsException", "Maximum sending rate exceeded."),
        "quota": _error(429, "TooManyRequestsException", "Daily message quota exceeded."),
        "limit": _error(400, "LimitExceededException", "Limit exceeded."),
        "413": Given(413, b"<html><body>413 Request Entity Too Large</body></html>"),
        "500": _error(500, "InternalFailure", "Internal failure."),
        "418": _error(418, "SomethingNew", "Something new."),
    }

    def exports(self) -> dict[str, str]:
        """The settings that point here."""
        return {
            "AMAZON_SES_REGION": "eu-central-1",
            "AMAZON_SES_ACCESS_KEY_ID": self.key,
            "AMAZON_SES_SECRET_ACCESS_KEY": "standin-secret",
            "AMAZON_SES_URL": self.service_url,
        }

    def let_in(self, asked: Asked) -> None:
        """By a signature over the host and the time."""
        found = _SIGNED.fullmatch(asked.headers.get("authorization", ""))
        if not found:
            raise Refused(_error(403, "MissingAuthenticationTokenException", "Missing Authentication Token"))
        if found["key"] != self.key:
            raise Refused(self.answers["401"])
        if not {"host", "x-amz-date"} <= set(found["headers"].split(";")) or "x-amz-date" not in asked.headers:
            raise Refused(self.answers["signature"])

    def about(self) -> Given:
        """Of the account."""
        return Given(200, {"SendingEnabled": True, "ProductionAccessEnabled": True})

    def read(self, asked: Asked) -> Taken:
        """A whole mail in base64, and to whom."""
        body = asked.json()
        try:
            raw = base64.b64decode(body["Content"]["Raw"]["Data"], validate=True)
            (to,) = body["Destination"]["ToAddresses"]
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise Refused(self.answers["400"]) from None
        mail = message_from_bytes(raw)
        if "@" not in str(mail["From"]) or "@" not in to or not to.isascii():
            raise Refused(self.answers["address"])
        return Taken(to=to, subject=str(mail["Subject"]), whole=body)

    def taken(self, mail: Taken) -> Given:
        """As it documents it."""
        return Given(200, {"MessageId": f"0107{secrets.token_hex(14)}-000000"})
