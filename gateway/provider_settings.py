"""What providers need to know, such as keys and addresses. The one place where adapters ask for it.

The environment decides; what it leaves open may be stored in the admin, encrypted. Adapters ask when they connect,
never for each message, and so notice a change at their next hand-over.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gateway.channel_table import channels

Words = str | Promise
#: Characters of a secret that are shown again.
SHOWN_TAIL = 4
#: A shorter secret than this shows none of them.
LEAST_HIDDEN = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderField:
    """One thing a provider needs to know. Channels list them by provider, in `FIELDS` beside `PROVIDERS`.

    Providers may share a setting: they then list the same field.
    """

    #: Its name as an environment variable, in `settings.py` and where it is stored. `settings.py` leaves it empty where
    #: the environment says nothing.
    setting: str
    label: Words
    #: Where a person finds it at the provider, and what it looks like.
    help: Words = ""
    #: Never shown again, but for its last characters.
    is_secret: bool = False
    #: Whether the provider cannot work without it.
    is_needed: bool = True
    #: Where the provider's secrets are sent.
    is_address: bool = False
    #: More than a line, such as a JSON file.
    is_long: bool = False
    #: The only values there are, such as regions; none: any that can be read.
    choices: tuple[str, ...] = ()
    #: From the text to what adapters are given, as `settings.py` reads it. Raises ValueError, which repeats no secret.
    read: Callable[[str], Any] = str
    #: As written, where neither the environment nor the admin says anything.
    default: str = ""
    #: How people recognise a secret without reading it; None: by its last characters.
    hint: Callable[[str], str] | None = None

    def shown(self, text: str) -> str:
        """What may be shown of a value, as written."""
        if not text or not self.is_secret:
            return text
        if self.hint is not None:
            return self.hint(text)
        return f"… {text[-SHOWN_TAIL:]}" if len(text) >= LEAST_HIDDEN else "…"


#: Every provider that posts its news lists it.
WEBHOOK_SECRET = ProviderField(
    setting="PROVIDER_WEBHOOK_SECRET",
    label=_("Secret of its news"),
    help=_("User and password, separated by a colon, with which providers post their news (HTTP basic). One for all."),
    is_secret=True,
    is_needed=False,
)


def provider_setting(name: str) -> Any:
    """The value of a provider's setting, read and checked; empty where there is none."""
    field = known_fields().get(name)
    if field is None or is_given(name):
        return getattr(settings, name)
    stored = _stored_value(field)
    if stored is not None:
        return stored
    return field.read(field.default) if field.default else getattr(settings, name)


def is_given(name: str) -> bool:
    """Whether the environment has the say about a setting."""
    return bool(getattr(settings, name))


@cache
def known_fields() -> dict[str, ProviderField]:
    """Every field of every provider, by the name of its setting."""
    return {
        field.setting: field
        for channel in channels().values()
        for fields in channel.provider_fields().values()
        for field in fields
    }


def _stored_value(field: ProviderField) -> Any:
    from gateway import stored_settings  # noqa: PLC0415  settings.py imports this page before there are models

    stored_settings.follow()
    return stored_settings.value(field.setting, field.read)
