"""Amazon SES, version 2 of its interface. AWS's own library signs the requests (SigV4); it is an extra: `ses`.

The mail itself is the one that SMTP sends. Amazon gives it a Message-ID of its own.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from channels_email.mail_services import Question
from channels_email.message import EmailMessage, make_mail
from channels_email.providers.mail_service import (
    WHO,
    Made,
    MailServiceProvider,
    NotReadable,
    address_not_supported,
)
from gateway.channel_contract import Outcome, ProviderAway
from gateway.http_window import Call, Reply

#: How AWS calls the service in a signature.
SIGNED_AS = "ses"
SENDING = "/v2/email/outbound-emails"
#: Where Anymail's webhook looks for what we want to have back.
METADATA = "X-Metadata"


class AmazonSesProvider(MailServiceProvider):
    """One region of one account."""

    def use(self, values: Mapping[str, str]) -> str:
        """Whom we are for AWS."""
        region = values["AMAZON_SES_REGION"]
        self._base = values["AMAZON_SES_URL"] or f"https://email.{region}.amazonaws.com"
        self._set = values["AMAZON_SES_CONFIGURATION_SET"]
        key, secret = values["AMAZON_SES_ACCESS_KEY_ID"], values["AMAZON_SES_SECRET_ACCESS_KEY"]
        try:
            credentials = Credentials(key, secret) if key else Session().get_credentials()
        except BotoCoreError as error:
            raise ProviderAway(f"AWS gives us no key: {error}", outcome=Outcome.MISCONFIGURED) from error
        if credentials is None:
            words = "AMAZON_SES_ACCESS_KEY_ID is not set, and AWS gives this machine no key."
            raise ProviderAway(words, outcome=Outcome.MISCONFIGURED)
        self._signer = SigV4Auth(credentials, SIGNED_AS, region)
        return self._base

    def make(self, message: EmailMessage) -> Made:
        """The whole mail as its bytes."""
        mail = make_mail(message, (METADATA, json.dumps({"notification_id": str(message.notification_id)})))
        if mail.needs_utf8:
            raise address_not_supported(self.service.title)
        body: dict[str, Any] = {
            "Destination": {"ToAddresses": [mail.recipient]},
            "Content": {"Raw": {"Data": b64encode(mail.content).decode()}},
        }
        if self._set:
            body["ConfigurationSetName"] = self._set
        return Made(call=self._signed("POST", SENDING, json.dumps(body).encode()))

    def read_id(self, reply: Reply, payload: Any) -> str:
        """As the interface documents it."""
        try:
            return str(reply.json_object()["MessageId"])
        except KeyError as error:
            raise NotReadable("body") from error

    def ask(self, question: Question) -> Call:
        """For the account's own data."""
        return self._signed(question.method, question.path, b"")

    def _signed(self, method: str, path: str, body: bytes) -> Call:
        request = AWSRequest(method=method, url=self._base + path, data=body or None, headers=dict(WHO))
        if body:
            request.headers["Content-Type"] = "application/json"
        try:
            self._signer.add_auth(request)
        except BotoCoreError as error:
            raise ProviderAway(f"AWS gives us no key: {error}") from error
        return Call(urlsplit(self._base).path.rstrip("/") + path, dict(request.headers.items()), body, method)
