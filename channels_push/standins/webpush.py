"""A browser's push service, and the browser behind it: `subscribe()` gives what one would, `accepted` what it read.

A subscription can ask for an answer: `subscribe("410")`, `subscribe("hang")`; so can a rule for its endpoint.
"""

import base64
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

import http_ece
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from channels_push.standins.mailboxes import refusal_of
from gateway.standin_server import Asked, Given, StandIn, act_of

#: What these send besides the status.
HEADERS = {"429": {"Retry-After": "3"}, "503": {"Retry-After": "2"}}


@dataclass(frozen=True, slots=True)
class _Subscriber:
    key: ec.EllipticCurvePrivateKey
    secret: bytes
    answer: str


class WebPushStandIn(StandIn):
    """Endpoints at /push/…; what arrives is decrypted with the subscription's keys, or refused."""

    name = "webpush"

    def __init__(self, *, port: int = 0) -> None:
        super().__init__(port=port)
        self._subscribers: dict[str, _Subscriber] = {}

    def subscribe(self, answer: str = "") -> dict[str, Any]:
        """What `PushSubscription.toJSON()` says."""
        name = secrets.token_urlsafe(16)
        subscriber = _Subscriber(ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16), answer)
        self._subscribers[name] = subscriber
        encoding, form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        point = subscriber.key.public_key().public_bytes(encoding, form)
        return {
            "endpoint": f"{self.url}/push/{name}",
            "expirationTime": None,
            "keys": {"p256dh": _coded(point), "auth": _coded(subscriber.secret)},
        }

    def answer_names(self) -> list[str]:
        """Push services speak by status alone; any other may be asked for as well."""
        return ["200", "202", "204", "400", "401", "403", "404", "410", "413", "429", "500", "502", "503", "504"]

    def knows(self, answer: str) -> bool:
        """Also every other status."""
        return super().knows(answer) or bool(re.fullmatch("[2-5][0-9]{2}", answer))

    def control(self, asked: Asked) -> Given:
        """Also: a subscription for a developer, with the answer it asks for behind the question mark."""
        path, _, answer = asked.path.partition("?")
        if path == "/control/subscribe":
            if answer and not self.knows(answer):
                return Given(400, {"error": f"{answer!r} is no answer of {self.name}.", "answers": self.possible()})
            return Given(200, self.subscribe(answer))
        return super().control(asked)

    def answer(self, asked: Asked) -> Given:
        """As RFC 8030 says."""
        subscriber = self._subscribers.get(asked.path.removeprefix("/push/"))
        if subscriber is None:
            return Given(404)
        wanted = self.wanted(f"{self.url}{asked.path}", subscriber.answer)
        act = act_of(wanted)
        if wanted and not act:
            return Given(int(wanted), None, HEADERS.get(wanted, {}))
        if act in ("hang", "reset"):
            return Given(201, act=act)
        if refusal := refusal_of(asked.body, asked.headers, origin=self.url):
            return refusal
        try:
            plain = http_ece.decrypt(asked.body, private_key=subscriber.key, auth_secret=subscriber.secret)
        except (http_ece.ECEException, ValueError) as error:
            return Given(400, {"reason": f"not decryptable: {error}"})
        kept = {name: asked.headers.get(name) for name in ("ttl", "urgency", "topic")}
        self.accepted.append({"endpoint": f"{self.url}{asked.path}", "payload": json.loads(plain)} | kept)
        return Given(201, None, {"Location": f"{self.url}/message/{len(self.accepted)}"}, act=act)


def _coded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
