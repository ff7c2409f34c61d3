"""How often a client may call (section 6 of the API document). django-ratelimit counts, in fixed windows."""

from typing import Any, Protocol

from django.conf import settings
from django.http import HttpRequest
from django_ratelimit.core import get_usage
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from users.api_keys import limits_lately
from users.authentication import Caller
from users.models import ApiKey
from users.problems import Problem
from users.rates import Rate

#: Counted per address, whoever calls: what guards passwords must not be widened by signing in.
PER_ADDRESS = frozenset({"login", "register", "open"})


class Usage:
    """One counted request: the rate it was held against, and how it stands."""

    def __init__(self, policy: str, rate: Rate, *, count: int, seconds_left: int) -> None:
        self.policy = policy
        self.rate = rate
        self.is_too_much = count > rate.most
        self.remaining = max(0, rate.most - count)
        self.seconds_left = max(1, seconds_left)

    @property
    def headers(self) -> dict[str, str]:
        """For every answer to it."""
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.rate.most};w={self.rate.seconds}',
            "RateLimit": f'"{self.policy}";r={self.remaining};t={self.seconds_left}',
        }


def count(request: HttpRequest | Request, policy: str) -> Usage:
    """Count this request for whoever makes it: client and mode, person, or the address of somebody unknown."""
    rate: Rate = settings.RATE_LIMITS[policy]
    key = getattr(request, "auth", None)
    if isinstance(key, ApiKey):
        rate = limits_lately(key).get(policy, rate)
    caller = request.user if isinstance(request, Request) else None
    who = f"{caller.client}/{caller.mode}" if isinstance(caller, Caller) and policy not in PER_ADDRESS else ""
    return _counted(request, policy, rate, who)


def _counted(request: HttpRequest | Request, policy: str, rate: Rate, who: str) -> Usage:
    """`who`: empty for the address."""
    # "ip" is django-ratelimit's own word; it asks a function for anything it has no word for.
    key: Any = (lambda group, request: who) if who else "ip"
    # The limit is ours to compare: counted under it, keys of one client with different limits would not share a count.
    usage = get_usage(request, group=policy, key=key, rate=(0, rate.seconds), increment=True)
    return Usage(policy, rate, count=max(1, usage["count"]), seconds_left=usage["time_left"])


def address_of(request: HttpRequest | Request) -> str:
    """RATELIMIT_IP_META_KEY: who calls through a Unix socket has no address."""
    return request.META.get("REMOTE_ADDR") or "0.0.0.0"  # noqa: S104  a name for nobody, nothing listens there


class CountedView(Protocol):
    """What the throttle asks of a view."""

    headers: dict[str, str]
    #: The tightest count its request was held against.
    usage: Usage

    def rate_policy(self, method: str) -> str:
        """The policy a request counts under."""


class PolicyThrottle(BaseThrottle):
    """Counts every request to an API view; its headers go onto every answer, a refusal among them."""

    def __init__(self) -> None:
        self._wait = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        """DRF's hook."""
        counted: CountedView = view
        usage = count(request, counted.rate_policy(request.method or ""))
        counted.usage = usage
        counted.headers.update(usage.headers)
        self._wait = usage.seconds_left
        return not usage.is_too_much

    def wait(self) -> float:
        """Until the next window."""
        return self._wait


def count_account(request: Request, view: CountedView, *, account: str) -> None:
    """Count a try at a password of `account`, wherever it comes from. Raises `Problem` when there were too many."""
    usage = _counted(request, "login_account", settings.RATE_LIMITS["login_account"], account)
    if usage.remaining <= view.usage.remaining:
        view.headers.update(usage.headers)
    if usage.is_too_much:
        raise Problem("rate_limited", headers={"Retry-After": str(usage.seconds_left)})
