"""Use case: ask a provider whether it takes our credentials, and say so in words that hold no secret."""

from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

import structlog

from gateway.channel_contract import Channel, CheckedProvider, Outcome, ProviderAway, SendResult
from gateway.provider_settings import provider_setting

log = structlog.stdlib.get_logger(__name__)

#: Answers that show that the service has let us in, if only to say that nobody has this token.
LET_IN = frozenset({Outcome.ACCEPTED, Outcome.PERMANENT})
#: Shorter than this nothing is taken out of a provider's words: it would stand in them by chance.
SHORTEST_SECRET = 6


class CannotBeAsked(Exception):
    """A provider that has nothing to ask about, such as capture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a provider said."""

    works: bool
    result: SendResult
    sentence: str


def check_provider(channel: Channel, name: str, to: str = "") -> Checked:
    """Ask it; without `to` nothing is sent. Raises `CannotBeAsked`, and `UnknownProvider`."""
    provider = channel.load_provider(name)
    if not isinstance(provider, CheckedProvider):
        raise CannotBeAsked(name)
    try:
        result = provider.check(to)
    except ProviderAway as away:
        result = away.result()
    except Exception as error:  # noqa: BLE001  what was typed may be anything; the error's words may repeat a secret
        why = type(error).__name__
        log.error("A provider's adapter failed when it was asked.", action="check_provider", provider=name, detail=why)
        result = SendResult(outcome=Outcome.TRANSIENT, error_code="check_failed", detail=f"The check failed: {why}.")
    finally:
        provider.close()
    result = replace(result, detail=_without_secrets(result.detail, channel, name))
    works = result.outcome in LET_IN and not (to and result.outcome is Outcome.PERMANENT)
    return Checked(works=works, result=result, sentence=_in_words(name, result, works=works))


def _in_words(name: str, result: SendResult, *, works: bool) -> str:
    if not works:
        return f"{name}: {result.detail or result.error_code} {result.provider_code}".strip()
    if result.outcome is Outcome.ACCEPTED and not result.detail:
        return f"{name}: works. It took the test; its name for it: {result.provider_message_id or 'none'}."
    if result.outcome is Outcome.PERMANENT:
        return f"{name}: works. It took our credentials, and knows that the test goes to nobody."
    return f"{name}: works. {result.detail}".strip()


def _without_secrets(detail: str, channel: Channel, name: str) -> str:
    """Some services repeat what they were given."""
    for field in channel.provider_fields().get(name, ()):
        value = provider_setting(field.setting) if field.is_secret else ""
        for secret in _secrets_in(value) if isinstance(value, str) else ():
            detail = detail.replace(secret, "…")
    return detail


def _secrets_in(value: str) -> list[str]:
    """An address without a password holds none, and says where the trouble is."""
    is_address = value.partition("://")[0].replace("+", "").isalnum() and "://" in value
    password = (urlsplit(value).password or "") if is_address else ""
    if is_address and not password:
        return []
    return [each for each in (value, password, unquote(password)) if len(each) >= SHORTEST_SECRET]
