"""Pages on which operators set up a provider, try it, and say in which order a channel's providers are asked."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from gateway import stored_settings
from gateway.admin.provider_forms import OrderForm, ProviderSettingsForm
from gateway.channel_contract import Channel
from gateway.channel_table import channels
from gateway.provider_check import CannotBeAsked, check_provider
from gateway.provider_order import CAPTURE, given_order, provider_order, setting_of
from gateway.provider_set_up import forget_setting, missing_fields, store_order, store_settings
from gateway.provider_settings import ProviderField, is_given, known_fields, provider_setting
from users.channels import Channel as ChannelName
from users.models import User
from users.staff_pages import ReadOnlyAdmin, ReasonForm, ask_first
from users.throttling import address_of

BOARD = "admin:gateway_providerstate_changelist"
PERMISSION = "gateway.set_up_providers"


class ProviderPages(ReadOnlyAdmin):
    """Mixed into the board of providers."""

    def get_urls(self) -> list[URLPattern]:
        """Beside the board's own."""
        pages: dict[str, tuple[str, Callable[..., HttpResponse]]] = {
            "order/<slug:channel>/": ("order", self.order_view),
            "<slug:channel>/<slug:provider>/settings/": ("settings", self.settings_view),
            "<slug:channel>/<slug:provider>/settings/<slug:name>/remove/": ("remove", self.remove_view),
            "<slug:channel>/<slug:provider>/try/": ("try", self.try_view),
        }
        own = [
            path(route, self.admin_site.admin_view(view), name=f"gateway_providerstate_{name}")
            for route, (name, view) in pages.items()
        ]
        return [*own, *super().get_urls()]

    def settings_view(self, request: HttpRequest, channel: str, provider: str) -> HttpResponse:
        """What it needs to know."""
        asked = _fields(request, channel, provider)
        form = ProviderSettingsForm(request.POST or None, asked=asked)
        if form.is_valid():
            changed = store_settings(provider=provider, texts=form.texts, by=_who(request), address=address_of(request))
            done = _("{provider} is set up. Every process follows within seconds.").format(provider=provider)
            messages.success(request, done if changed else _("Nothing changed."))
            return redirect("admin:gateway_providerstate_settings", channel, provider)
        context = {
            "title": _("Set up {provider}").format(provider=provider),
            "channel": ChannelName(channel),
            "provider": provider,
            "rows": [_row(form, field, channel, provider) for field in asked],
            "can_save": any(not is_given(field.setting) for field in asked),
            "is_in_use": provider in provider_order(channel).names,
            "form": form,
        }
        return self._page(request, "settings", context)

    def try_view(self, request: HttpRequest, channel: str, provider: str) -> HttpResponse:
        """Ask it whether it takes our credentials."""
        _fields(request, channel, provider)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        stored_settings.follow(at_once=True)
        try:
            checked = check_provider(channels()[channel], provider)
        except CannotBeAsked:
            messages.info(request, _("{provider} needs no credentials.").format(provider=provider))
        else:
            told = messages.success if checked.works else messages.error
            told(request, checked.sentence)
        return redirect("admin:gateway_providerstate_settings", channel, provider)

    def remove_view(self, request: HttpRequest, channel: str, provider: str, name: str) -> HttpResponse:
        """Ask first: without it a provider may not work."""
        asked = {field.setting: field for field in _fields(request, channel, provider)}
        if name not in asked:
            raise Http404
        back = reverse("admin:gateway_providerstate_settings", args=[channel, provider])
        form = ReasonForm(request.POST or None)
        if form.is_valid():
            why = form.cleaned_data["reason"]
            forget_setting(provider=provider, name=name, by=_who(request), why=why, address=address_of(request))
            messages.success(request, _("{setting} is removed.").format(setting=name))
            return redirect(back)
        question = _("It cannot be shown again, and is gone for good.")
        if asked[name].is_needed and provider in provider_order(channel).names:
            question += " " + _("{provider} is in use: without it messages wait or go to the next in order.").format(
                provider=provider
            )
        sharing = [each for each in _sharing(name) if each != provider]
        facts = [f"{provider}: {asked[name].label}", *(_("Also used by {name}").format(name=each) for each in sharing)]
        return ask_first(
            request,
            self,
            title=_("Remove {setting}?").format(setting=name),
            question=question,
            button=_("Remove"),
            back=back,
            form=form,
            facts=facts,
        )

    def order_view(self, request: HttpRequest, channel: str) -> HttpResponse:
        """Who is asked first, who shares, who is off."""
        known = list(_channel(request, channel).provider_fields())
        order, is_fixed = provider_order(channel), bool(given_order(channel))
        form = OrderForm(None if is_fixed else request.POST or None, channel=channel, known=known, order=order)
        if form.is_valid():
            off = [name for name in order.names if name not in form.order.names]
            if off and "confirmed" not in request.POST:
                return self._ask_about(request, channel, off)
            store_order(channel=channel, order=form.order, by=_who(request), address=address_of(request))
            messages.success(request, _("Stored. Every process follows within seconds."))
            return redirect(BOARD)
        context = {
            "title": _("Order of providers: {channel}").format(channel=ChannelName(channel).label),
            "form": form,
            "rows": [(*row, missing_fields(channel, row[0])) for row in form.rows],
            "channel": channel,
            "is_fixed": is_fixed,
            "setting": setting_of(channel),
            "order": str(order),
        }
        return self._page(request, "order", context)

    def _ask_about(self, request: HttpRequest, channel: str, off: list[str]) -> HttpResponse:
        question = _("Nothing is handed to them any more. What is in hand is finished, what waits goes to the others.")
        if channel == ChannelName.PUSH:
            question = _(
                "Devices of a service that is off get nothing: pushes to them end as “no device”. To let them wait "
                "instead, force the provider open."
            )
        given = [(name, str(value)) for name, value in request.POST.items() if name != "csrfmiddlewaretoken"]
        return ask_first(
            request,
            self,
            title=_("Switch off {names}?").format(names=", ".join(off)),
            question=question,
            button=_("Switch off"),
            back=reverse("admin:gateway_providerstate_order", args=[channel]),
            hidden=[*given, ("confirmed", "yes")],
        )

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        request.current_app = self.admin_site.name
        whole = {**self.admin_site.each_context(request), **context}
        return TemplateResponse(request, f"admin/gateway/providerstate/{name}.html", whole)


def set_up_context(request: HttpRequest) -> dict[str, Any]:
    """For the board: each channel with its order, and whom one may set up."""
    return {
        "may_set_up": request.user.has_perm(PERMISSION),
        "channels": [
            {
                "name": name,
                "label": ChannelName(name).label,
                "order": provider_order(name).words(),
                "by": _decided_by(name),
                "providers": [
                    {"name": each, "is_in_use": each in provider_order(name).names, "lacks": missing_fields(name, each)}
                    for each in channel.provider_fields()
                    if each != CAPTURE
                ],
            }
            for name, channel in channels().items()
        ],
    }


def _decided_by(channel: str) -> str:
    if given_order(channel):
        return _("set by the environment")
    return _("stored here") if stored_settings.text(setting_of(channel)) else _("as installed")


def _row(form: ProviderSettingsForm, field: ProviderField, channel: str, provider: str) -> dict[str, Any]:
    stored = stored_settings.text(field.setting)
    is_fixed = is_given(field.setting)
    shown = _shown(field, provider_setting(field.setting) if is_fixed else stored)
    is_lost = bool(stored) and not is_fixed and stored_settings.value(field.setting, field.read) is None
    link = reverse("admin:gateway_providerstate_remove", args=[channel, provider, field.setting])
    return {
        "field": form[field.setting],
        "setting": field.setting,
        "is_given": is_fixed,
        "shown": shown if field.is_secret or is_fixed else "",
        "is_lost": is_lost,
        "remove": link if stored and not is_fixed else "",
    }


def _shown(field: ProviderField, value: Any) -> str:
    """What the environment says may have been read already."""
    if not isinstance(value, str):
        return "…"
    try:
        return field.shown(value)
    except ValueError:
        return "…"


def _sharing(name: str) -> list[str]:
    return [
        provider
        for channel in channels().values()
        for provider, fields in channel.provider_fields().items()
        if known_fields()[name] in fields
    ]


def _channel(request: HttpRequest, channel: str) -> Channel:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if channel not in channels():
        raise Http404
    stored_settings.follow(at_once=True)
    return channels()[channel]


def _fields(request: HttpRequest, channel: str, provider: str) -> tuple[ProviderField, ...]:
    found = _channel(request, channel).provider_fields()
    if provider not in found:
        raise Http404
    return found[provider]


def _who(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  the admin lets nobody else in
    return request.user
