"""OneSignal, as it answers. The last digits of a subscription id ask for an answer: …000000000429, see `BY_TAIL`."""

import uuid
from typing import Any

from gateway.standin_server import Asked, Given, StandIn, act_of

NOBODY = {"id": "", "errors": ["All included players are not subscribed"]}
#: By name, without those that depend on the request.
ANSWERS: dict[str, Given] = {
    "not_subscribed": Given(200, NOBODY),
    "refused": Given(400, {"errors": ["Message Notifications must have Any/English language content"]}),
    "app_id": Given(400, {"errors": ["app_id not found. You may be missing a Content-Type: application/json header."]}),
    "key": Given(
        403, {"errors": ["Access denied.  Please include an 'Authorization: ...' header with a valid API key"]}
    ),
    "too_fast": Given(429, {"errors": ["API rate limit exceeded"]}, {"Retry-After": "4"}),
    "trouble": Given(500, {"errors": ["Internal Server Error"]}),
    "unavailable": Given(503, b"<html><body>503 Service Temporarily Unavailable</body></html>"),
    "too_late": Given(504, b"<html><body>504 Gateway Time-out</body></html>"),
    "new": Given(418, {"errors": ["Something new"]}),
}
#: Last twelve digits of a subscription id → answer.
BY_TAIL = {
    "000000000404": "invalid",
    "000000000200": "not_subscribed",
    "000000000400": "refused",
    "000000000429": "too_fast",
    "000000000500": "trouble",
    "000000000503": "unavailable",
    "000000000504": "too_late",
    "000000000418": "new",
    "000000000001": "hang",
    "000000000002": "reset",
    "000000000003": "half",
    "000000000004": "lost",
}


class OneSignalStandIn(StandIn):
    """Notifications at /notifications."""

    name = "onesignal"

    def __init__(self, *, port: int = 0, key: str = "os_v2_app_standin") -> None:
        super().__init__(port=port)
        self.key = key
        self._given: dict[str, dict[str, Any]] = {}

    def answer_names(self) -> list[str]:
        """`invalid`: it knows no such subscription."""
        return [*ANSWERS, "invalid"]

    def answer(self, asked: Asked) -> Given:
        """As the create-notification route."""
        if asked.method != "POST" or asked.path.partition("?")[0] != "/notifications":
            return Given(404, {"errors": ["Not found"]})
        if asked.headers.get("authorization") != f"Key {self.key}":
            return ANSWERS["key"]
        body = asked.json()
        try:
            uuid.UUID(str(body.get("app_id")))
        except ValueError:
            return ANSWERS["app_id"]
        (to,) = body["include_subscription_ids"]
        wanted = self.wanted(to, BY_TAIL.get(to.rpartition("-")[2], ""))
        if wanted in ANSWERS:
            return ANSWERS[wanted]
        if wanted == "invalid" or to == str(uuid.UUID(int=0)):
            return Given(200, {"id": "", "errors": {"invalid_player_ids": [to]}})
        if "en" not in body.get("contents", {}):
            return ANSWERS["refused"]
        act = act_of(wanted)
        if act in ("hang", "reset"):
            return Given(200, act=act)
        return Given(200, self._taken(body), act=act)

    def _taken(self, body: dict[str, Any]) -> dict[str, Any]:
        """One that was taken before under the same key goes to nobody again."""
        key = str(body.get("idempotency_key", uuid.uuid4()))
        if key not in self._given:
            self.accepted.append(body)
            self._given[key] = {"id": str(uuid.uuid4()), "external_id": None}
        return self._given[key]
