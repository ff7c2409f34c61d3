"""Web Push (RFC 8030, 8291, 8292): to the push service each browser has chosen, encrypted for that browser alone."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import repeat
from typing import Any
from urllib.parse import urlsplit

from py_vapid import Vapid
from pywebpush import WebPushException, webpush

from channels_push.message import PushMessage
from channels_push.payload_size import too_large
from channels_push.webpush_answers import REFUSED_ADDRESS, result_of, result_without_answer
from gateway.channel_contract import Outcome, ProviderAway, SendResult
from gateway.outbound_http import AddressRefused, Answer, CallFailed, post
from gateway.provider_settings import provider_setting

#: Bytes of the plain text that make 4,096 encrypted ones, the most every push service takes.
LARGEST = 3993
LONGEST_LIFE = timedelta(weeks=4)
WITHIN = timedelta(seconds=10)
#: Pushes on their way at a time; each goes to an address a stranger has chosen, on a connection of its own.
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class _Signer:
    """Whose pushes these are, and what proves it."""

    key: str = field(repr=False)
    subject: str


class WebPushProvider:
    """Implements `gateway.channel_contract.Provider`."""

    name = "webpush"
    reports_delivery = False

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._signer = _Signer("", "")

    def connect(self) -> None:
        """There is no one service to connect to; only the key is needed. Raises `ProviderAway`."""
        self._signer = _Signer(provider_setting("VAPID_PRIVATE_KEY"), provider_setting("VAPID_SUBJECT"))
        if not self._signer.key or not self._signer.subject:
            raise ProviderAway("VAPID_PRIVATE_KEY and VAPID_SUBJECT are not both set.", outcome=Outcome.MISCONFIGURED)

    def send(self, messages: Sequence[PushMessage]) -> Iterator[SendResult]:
        """Several at once, answers in order."""
        if len(messages) == 1:
            yield _push(messages[0], self._signer)
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webpush")
        yield from self._pool.map(_push, messages, repeat(self._signer))

    def check(self, to: str) -> SendResult:
        """Whether the key can sign; with a subscription's JSON in `to`, whether its push service takes a push."""
        self.connect()
        _key(self._signer.key).sign({"sub": self._signer.subject, "aud": "https://push.example.com"})
        if not to:
            return SendResult(outcome=Outcome.ACCEPTED, detail="The key can sign. No push service was asked.")
        payload = json.dumps({"title": "Test", "body": "Test"})
        return _hand_over(to, payload, self._signer, ttl=60, headers={})

    def close(self) -> None:
        """Let go of the threads."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def payload_of(message: PushMessage) -> str:
    """What the service worker gets (docs/how_to/send_push.md)."""
    words = message.words
    whole: dict[str, Any] = {
        "title": words.title,
        "body": words.body,
        "image": words.image,
        "link": words.link,
        "actions": [dict(each) for each in words.actions],
        "tag": message.tag,
        "badge": message.badge,
        "silent": not message.sound,
        "data": dict(message.data),
    }
    return json.dumps({name: value for name, value in whole.items() if value not in ("", None, [], False)})


def _push(message: PushMessage, signer: _Signer) -> SendResult:
    payload = payload_of(message)
    if (size := len(payload.encode())) > LARGEST:
        return too_large(size, LARGEST, "Web Push")
    ttl = int(min(message.time_to_live, LONGEST_LIFE).total_seconds())
    headers = {"Urgency": "high" if message.is_urgent else "normal", "Topic": _topic(message.tag)}
    return _hand_over(message.device.token, payload, signer, ttl=ttl, headers=headers)


def _topic(tag: str) -> str:
    """At most 32 characters of the URL-safe alphabet: a later push with the same replaces one still waiting."""
    return base64.urlsafe_b64encode(hashlib.sha256(tag.encode()).digest()[:24]).decode()


def _hand_over(token: str, payload: str, signer: _Signer, *, ttl: int, headers: Mapping[str, str]) -> SendResult:
    """`token` is the subscription's JSON."""
    guarded = _Guarded()
    try:
        subscription = json.loads(token)
    except ValueError:
        return REFUSED_ADDRESS.result(provider_code="subscription")
    try:
        webpush(
            subscription,
            data=payload,
            vapid_private_key=_key(signer.key),
            vapid_claims={"sub": signer.subject},  # a fresh one each time: the call writes into it
            ttl=ttl,
            timeout=WITHIN.total_seconds(),
            headers=dict(headers),
            requests_session=guarded,
        )
    except AddressRefused:
        return REFUSED_ADDRESS.result(provider_code=urlsplit(str(subscription.get("endpoint", ""))).hostname or "")
    except CallFailed as failed:
        return result_without_answer(failed.code)
    except WebPushException:
        if guarded.answer is None:  # the subscription's keys are none
            return REFUSED_ADDRESS.result(provider_code="subscription")
    answer = guarded.answer
    return result_of(answer.status, answer.retry_after) if answer else result_without_answer("bad_answer")


@dataclass(slots=True)
class _Reply:
    """What pywebpush asks of an answer."""

    status_code: int
    reason: str = ""
    text: str = ""
    headers: Mapping[str, str] | None = None


class _Guarded:
    """Stands in for a session of requests: one call, to public addresses only, without redirects."""

    def __init__(self) -> None:
        self.answer: Answer | None = None

    def post(self, endpoint: str, *, data: bytes, headers: Mapping[str, str], timeout: float) -> _Reply:
        self.answer = post(endpoint, data, headers, within=timedelta(seconds=timeout))
        return _Reply(self.answer.status)


@cache
def _key(text: str) -> Any:
    """Read once: reading it takes longer than signing with it."""
    return Vapid.from_raw(text.encode())
