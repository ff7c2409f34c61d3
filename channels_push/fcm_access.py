"""Access tokens for Firebase Cloud Messaging, one for all threads of a process, fetched before they run out."""

import json
import threading
import time
from datetime import timedelta
from functools import cache
from typing import Any

import requests
from firebase_admin import credentials
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.auth.transport.requests import Request

from gateway.channel_contract import Outcome, ProviderAway

#: For one call to Google's token endpoint.
WITHIN = timedelta(seconds=10)
#: Google's live for an hour; ours are renewed so long before.
RENEW_BEFORE = timedelta(minutes=5)
LIFETIME = timedelta(hours=1)
#: One that is refused so soon after it was given was not too old.
FRESH = timedelta(seconds=60)


class FcmAccess:
    """The service account of an installation."""

    def __init__(self, account: dict[str, Any]) -> None:
        try:
            certificate = credentials.Certificate(account)
        except ValueError as error:
            words = "FCM_CREDENTIALS holds no usable key; make a new one in the Firebase console."
            raise ProviderAway(words, outcome=Outcome.MISCONFIGURED) from error
        self.project: str = certificate.project_id
        self._google: Any = certificate.get_credential()
        self._session = requests.Session()
        self._lock = threading.Lock()
        self._fetched_at: float | None = None

    def token(self) -> str:
        """A token that is good for a while. Raises `ProviderAway`."""
        with self._lock:
            age = None if self._fetched_at is None else time.monotonic() - self._fetched_at
            if age is None or age > (LIFETIME - RENEW_BEFORE).total_seconds():
                self._fetch()
            return str(self._google.token)

    @property
    def is_fresh(self) -> bool:
        """Whether the token was given just now."""
        fetched_at = self._fetched_at
        return fetched_at is not None and time.monotonic() - fetched_at < FRESH.total_seconds()

    def forget(self) -> None:
        """The next one asks for another token."""
        with self._lock:
            self._fetched_at = None

    def _fetch(self) -> None:
        request = Request(session=self._session)
        try:
            self._google.refresh(lambda *args, **how: request(*args, **how | {"timeout": WITHIN.total_seconds()}))
        except RefreshError as error:
            if error.retryable:
                raise ProviderAway("Google gives no access token at the moment.") from error
            words = "Google refused the service account of FCM_CREDENTIALS; make a new key in the Firebase console."
            raise ProviderAway(words, outcome=Outcome.MISCONFIGURED) from error
        except (GoogleAuthError, requests.RequestException) as error:
            raise ProviderAway("Google's token endpoint does not answer.") from error
        self._fetched_at = time.monotonic()


def fcm_access(account: dict[str, Any], token_url: str) -> FcmAccess:
    """The same for every thread. Raises `ProviderAway`."""
    return _access(json.dumps(account | ({"token_uri": token_url} if token_url else {}), sort_keys=True))


@cache
def _access(account: str) -> FcmAccess:
    return FcmAccess(json.loads(account))
