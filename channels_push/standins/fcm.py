"""Firebase Cloud Messaging and Google's token endpoint, as they answer.

A registration token that reads `ask.<answer>.<anything>` asks for that answer: `ask.UNREGISTERED.1`, `ask.hang.2`,
`ask.delay-300.3`. The answers are the keys of `ANSWERS` and the acts of `standin_server.py`. A rule for `oauth` is
about access tokens.
"""

import re
import secrets
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.standin_server import Asked, Given, StandIn, act_of

_ASKED = re.compile(r"ask\.([A-Za-z0-9_-]+)\..*")
_SENDING = re.compile(r"/v1/projects/([^/]+)/messages:send")
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


def _error(status: int, message: str, google: str, own: str = "", *, field: str = "", **headers: str) -> Given:
    details: list[dict[str, Any]] = [{"@type": FCM_ERROR, "errorCode": own}] if own else []
    if field:
        violation = {"field": field, "description": message}
        details.append({"@type": BAD_REQUEST, "fieldViolations": [violation]})
    error: dict[str, Any] = {"code": status, "message": message, "status": google}
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Given(status, {"error": error | ({"details": details} if details else {})}, given)


#: In a rule: the endpoint for access tokens.
OAUTH = "oauth"
OAUTH_ANSWERS = {
    "invalid_grant": Given(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}),
    "busy": Given(503, {"error": "temporarily_unavailable"}),
}
_INVALID = "Request contains an invalid argument."
#: By name: Firebase's documented errors, word for word where words matter.
ANSWERS: dict[str, Given] = {
    "UNREGISTERED": _error(404, "Requested entity was not found.", "NOT_FOUND", "UNREGISTERED"),
    "INVALID_ARGUMENT": _error(400, _INVALID, "INVALID_ARGUMENT", "INVALID_ARGUMENT", field="message.data[0].value"),
    "INVALID_TOKEN": _error(
        400,
        "The registration token is not a valid FCM registration token",
        "INVALID_ARGUMENT",
        "INVALID_ARGUMENT",
        field="message.token",
    ),
    "TOO_BIG": _error(400, "Android message is too big", "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
    "SENDER_ID_MISMATCH": _error(403, "SenderId mismatch", "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
    "PERMISSION_DENIED": _error(
        403, "Permission 'cloudmessaging.messages.create' denied on resource.", "PERMISSION_DENIED"
    ),
    "THIRD_PARTY_AUTH_ERROR": _error(
        401, "Auth error from APNS or Web Push Service", "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"
    ),
    "UNAUTHENTICATED": _error(
        401, "Request had invalid authentication credentials. Expected OAuth 2 access token.", "UNAUTHENTICATED"
    ),
    "QUOTA_EXCEEDED": _error(
        429, "Quota exceeded for quota metric.", "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", Retry_After="30"
    ),
    "QUOTA_WITHOUT_WAIT": _error(429, "Quota exceeded for quota metric.", "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"),
    "UNAVAILABLE": _error(503, "The service is currently unavailable.", "UNAVAILABLE", "UNAVAILABLE", Retry_After="7"),
    "INTERNAL": _error(500, "Internal error encountered.", "INTERNAL", "INTERNAL"),
    "DEADLINE_EXCEEDED": _error(504, "Deadline expired before operation could complete.", "DEADLINE_EXCEEDED"),
    "NOT_FOUND": _error(404, "Requested entity was not found.", "NOT_FOUND"),
    "BAD_GATEWAY": Given(502, b"<!DOCTYPE html><html lang=en><title>Error 502 (Server Error)!!1</title>"),
    "NEW_CODE": _error(418, "Something new.", "TEAPOT", "A_NEW_CODE"),
}


class FcmStandIn(StandIn):
    """Messages at /v1/projects/…/messages:send, access tokens at /token."""

    name = "fcm"

    def __init__(self, *, port: int = 0, keep: bool = True) -> None:
        super().__init__(port=port)
        self._keep = keep
        self.accepted_count = 0
        #: Access tokens given out and still good.
        self.tokens: set[str] = set()
        self.token_count = 0
        #: What the token endpoint answers instead: `invalid_grant`, `busy` or an act.
        self.oauth_answer = ""

    def answer(self, asked: Asked) -> Given:
        """Dispatch by path."""
        if asked.path == "/token":
            return self._token(asked)
        if asked.method != "POST" or not _SENDING.fullmatch(asked.path):
            return Given(404, b"<!DOCTYPE html><html lang=en><title>Error 404 (Not Found)!!1</title>")
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return ANSWERS["UNAUTHENTICATED"]
        return self._message(asked)

    def answer_names(self) -> list[str]:
        """Those for messages, and those for access tokens."""
        return [*ANSWERS, *OAUTH_ANSWERS]

    def _token(self, asked: Asked) -> Given:
        wanted = self.oauth_answer or self.rules.get(OAUTH, "")
        if wanted in OAUTH_ANSWERS:
            return OAUTH_ANSWERS[wanted]
        if b"assertion=" not in asked.body:
            return Given(400, {"error": "invalid_request"})
        self.token_count += 1
        token = f"ya29.{secrets.token_urlsafe(24)}"
        self.tokens.add(token)
        given = {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}
        return Given(200, given, act=act_of(wanted))

    def _message(self, asked: Asked) -> Given:
        whole = asked.json()
        message = whole["message"]
        to = message.get("token") or message.get("fid")
        if not to:
            return _error(
                400, "Recipient of the message is not set.", "INVALID_ARGUMENT", "INVALID_ARGUMENT", field="message"
            )
        if len(str(to)) < 8 or to == "checking-credentials":
            return ANSWERS["INVALID_TOKEN"]
        found = _ASKED.fullmatch(to)
        wanted = self.wanted(to, found[1] if found else "")
        if wanted in ANSWERS:
            return ANSWERS[wanted]
        act = act_of(wanted)
        if act in ("reset", "hang"):
            return Given(200, act=act)
        project = _SENDING.fullmatch(asked.path)
        self.accepted_count += 1
        if self._keep and not whole.get("validate_only"):
            self.accepted.append(message)
        name = f"projects/{project[1] if project else ''}/messages/0:{self.accepted_count}%standin"
        return Given(200, {"name": name}, act=act)


def service_account(token_url: str, *, project: str = "stand-in") -> dict[str, Any]:
    """A service account as Firebase's console makes it, with a key of its own."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    address = f"platform@{project}.iam.gserviceaccount.com"
    return {
        "type": "service_account",
        "project_id": project,
        "private_key_id": "standin",
        "private_key": pem,
        "client_email": address,
        "client_id": "1",
        "token_uri": token_url,
    }
