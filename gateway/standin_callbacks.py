"""A client's endpoint for callbacks, as a client would write it: for development, on loopback only.

A path asks for an answer: `/ask-500/hooks`, `/ask-429/…`, `/ask-hang/…`, `/ask-delay-300/…`; so does a rule for a path.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping

from gateway.standin_server import Asked, Given, StandIn, act_of

_ASKED = re.compile(r"/ask-([A-Za-z0-9-]+)(?:/.*)?")
#: What these send besides the status.
HEADERS = {"429": {"Retry-After": "3"}, "503": {"Retry-After": "2"}}
SECRET_PREFIX = "whsec_"  # noqa: S105  what every secret begins with
#: Of a callback: what of its headers is kept.
KEPT_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature", "x-correlation-id", "user-agent")


class CallbackReceiver(StandIn):
    """Takes callbacks at every path. With a secret it checks their signature (Standard Webhooks)."""

    name = "callbacks"

    def __init__(self, *, port: int = 0, secret: str = "") -> None:
        super().__init__(port=port)
        self.secret = secret

    def answer_names(self) -> list[str]:
        """Any other status may be asked for as well."""
        return ["200", "202", "204", "301", "400", "401", "404", "410", "429", "500", "502", "503", "504"]

    def knows(self, answer: str) -> bool:
        """Also every other status."""
        return super().knows(answer) or bool(re.fullmatch("[2-5][0-9]{2}", answer))

    def control(self, asked: Asked) -> Given:
        """Also: the secret of the endpoint, by which signatures are checked from now on."""
        if (asked.method, asked.path) == ("POST", "/control/secret"):
            self.secret = str(asked.json()["secret"])
            return Given(200, {"checks_signatures": bool(self.secret)})
        return super().control(asked)

    def answer(self, asked: Asked) -> Given:
        """2xx for what is signed as it should be; a wrong signature is 401."""
        found = _ASKED.fullmatch(asked.path)
        wanted = self.wanted(asked.path, found[1] if found else "")
        act = act_of(wanted)
        if wanted and not act:
            return Given(int(wanted), None, HEADERS.get(wanted, {})) if self.knows(wanted) else Given(404)
        if act in ("hang", "reset"):
            return Given(204, act=act)
        if asked.method != "POST":
            return Given(405, None, {"Allow": "POST"})
        is_signed = is_signed_with(self.secret, asked.headers, asked.body) if self.secret else None
        kept = {name: asked.headers.get(name) for name in KEPT_HEADERS}
        self.accepted.append({"path": asked.path, "headers": kept, "body": asked.json(), "is_signed": is_signed})
        return Given(401 if is_signed is False else 204, act=act)


def is_signed_with(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether one of the signatures is right; during a rotation there are two."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{headers.get('webhook-id', '')}.{headers.get('webhook-timestamp', '')}.".encode() + body
    right = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return any(hmac.compare_digest(right, each) for each in headers.get("webhook-signature", "").split())
