"""Use cases: operators store what providers need to know, and which of them are asked in which order.

What the environment says cannot be stored over. Every process follows within seconds (`stored_settings.py`).
"""

from collections.abc import Iterable, Mapping

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from gateway import stored_settings
from gateway.channel_table import channels
from gateway.provider_models import ProviderSetting
from gateway.provider_order import CAPTURE, Order, given_order, provider_order, setting_of
from gateway.provider_settings import ProviderField, is_given, known_fields, provider_setting
from users.audit import note
from users.encryption import seal
from users.models import User


class GivenByEnvironment(Exception):
    """The environment has the say about this setting."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is set by the environment; change it there.")


class SecretWanted(Exception):
    """A secret would go to another address than the one it was written for.

    The message says what to do about the field `setting`.
    """

    def __init__(self, setting: str, words: str) -> None:
        super().__init__(words)
        self.setting = setting


class OrderRefused(Exception):
    """Nobody could send in this order; the message says why."""


def store_settings(*, provider: str, texts: Mapping[str, str], by: User | str, address: str = "") -> list[str]:
    """Store these, each as one would write it in the environment. Returns the names of those that changed.

    The audit log names them, never what is in them. Raises `GivenByEnvironment`, and ValueError for what cannot be
    read.
    """
    stored_settings.follow(at_once=True)
    for name, text in texts.items():
        if is_given(name):
            raise GivenByEnvironment(name)
        known_fields()[name].read(text)
    changed = [name for name, text in texts.items() if text != stored_settings.text(name)]
    with transaction.atomic():
        for name in changed:
            _store(name, texts[name], by)
        if changed:
            _note(by, "provider.settings_stored", provider, {"settings": changed}, address)
    stored_settings.follow(at_once=True)
    return changed


def require_secrets_for_address(asked: Iterable[ProviderField], texts: Mapping[str, str]) -> None:
    """A new address of a service wants its secrets written anew: who may not read them could have them sent to a
    machine of their own. Raises `SecretWanted`, in words.
    """
    fields = list(asked)
    moved = [each.setting for each in fields if each.is_address and _moves(each, texts)]
    if not moved:
        return
    for each in fields:
        if not each.is_secret or not each.is_needed or each.setting in texts:
            continue
        if is_given(each.setting):
            words = f"{each.setting} is set by the environment, and goes to no address but the one set there."
            raise SecretWanted(moved[0], words)
        if provider_setting(each.setting):
            raise SecretWanted(each.setting, "Write it anew too: what is stored goes to no other address.")


def _moves(field: ProviderField, texts: Mapping[str, str]) -> bool:
    was = stored_settings.text(field.setting) or field.default
    return texts.get(field.setting, was).rstrip("/") != was.rstrip("/")


def forget_setting(*, provider: str, name: str, by: User | str, why: str, address: str = "") -> bool:
    """Remove what is stored. False when nothing was."""
    with transaction.atomic():
        count, _ = ProviderSetting.objects.filter(pk=name).delete()
        if count:
            _note(by, "provider.setting_removed", provider, {"settings": [name]}, address, why)
    stored_settings.follow(at_once=True)
    return bool(count)


def store_order(*, channel: str, order: Order, by: User | str, address: str = "") -> None:
    """Ask the providers of a channel in this order from now on. Raises `GivenByEnvironment`, `OrderRefused`."""
    name = setting_of(channel)
    if given_order(channel):
        raise GivenByEnvironment(name)
    stored_settings.follow(at_once=True)
    require_usable(channel, order)
    before = str(provider_order(channel))
    with transaction.atomic():
        _store(name, str(order), by)
        note(
            who=by,
            what="provider.order_stored",
            about=name,
            before={"order": before},
            after={"order": str(order)},
            address=address,
        )
    stored_settings.follow(at_once=True)


def require_usable(channel: str, order: Order) -> None:
    """Raises `OrderRefused`, in words."""
    known = channels()[channel].provider_fields()
    if not order.names:
        raise OrderRefused("At least one provider is needed.")
    for name in order.names:
        if name not in known:
            raise OrderRefused(f"{name!r} is no provider; there are {', '.join(known)}.")
        if lacking := missing_fields(channel, name):
            raise OrderRefused(f"{name} lacks {', '.join(str(each.label) for each in lacking)}: set it up first.")
    if settings.ENVIRONMENT == "production" and CAPTURE in order.names:
        raise OrderRefused(f"{CAPTURE} keeps messages for the inbox: in production nobody would get them.")


def missing_fields(channel: str, provider: str) -> list[ProviderField]:
    """What a provider needs to know, and nobody has said."""
    fields = channels()[channel].provider_fields().get(provider, ())
    return [field for field in fields if field.is_needed and not provider_setting(field.setting)]


def _store(name: str, text: str, by: User | str) -> None:
    sealed = seal(text, purpose=stored_settings.PURPOSE, owner=name)
    ProviderSetting.objects.update_or_create(
        pk=name, defaults={"value": sealed, "changed_at": Now(), "changed_by": str(by)[:200]}
    )


def _note(
    by: User | str, what: str, provider: str, after: Mapping[str, list[str]], address: str, why: str = ""
) -> None:
    note(who=by, what=what, about=provider, after=after, why=why, address=address)
