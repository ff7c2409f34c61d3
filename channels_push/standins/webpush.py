"""A browser's push service, and the browser behind it: `subscribe()` gives what one would, `accepted` what it read.

A subscription can ask for an answer: `subscribe("410")`, `subscribe("hang")`.
"""

import base64
import json
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

    def control(self, asked: Asked) -> Given:
        """Also: a subscription for a developer, with the answer it asks for behind the question mark."""
        if asked.path.partition("?")[0] == "/control/subscribe":
            return Given(200, self.subscribe(asked.path.partition("?")[2]))
        return super().control(asked)

    def answer(self, asked: Asked) -> Given:
        """As RFC 8030 says."""
        subscriber = self._subscribers.get(asked.path.removeprefix("/push/"))
        if subscriber is None:
            return Given(404)
        act = act_of(subscriber.answer)
        if subscriber.answer and not act:
            return Given(int(subscriber.answer), None, HEADERS.get(subscriber.answer, {}))
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
