"""Forms of providers: what one needs to know, and which of a channel's are asked in which order."""

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from gateway import stored_settings
from gateway.provider_order import MOST_WEIGHT, Order, order_of
from gateway.provider_set_up import OrderRefused, SecretWanted, require_secrets_for_address, require_usable
from gateway.provider_settings import ProviderField, is_given

LONGEST = 10_000


class _LongSecret(UnfoldAdminTextareaWidget):  # type: ignore[misc]  # the theme ships no types
    """Never shows again what was typed."""

    def format_value(self, value: Any) -> None:
        return None


class ProviderSettingsForm(forms.Form):
    """The fields of one provider. What the environment says cannot be edited; an empty secret stays what it was."""

    def __init__(self, *args: Any, asked: tuple[ProviderField, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = {field.setting: field for field in asked}
        for field in asked:
            self.fields[field.setting] = _form_field(field)

    def clean(self) -> dict[str, Any]:
        """Read as the environment would be, with the same words."""
        for name, text in list(self.cleaned_data.items()):
            if text:
                try:
                    self.asked[name].read(text)
                except ValueError as error:
                    self.add_error(name, capfirst(str(error)))
        try:
            require_secrets_for_address(self.asked.values(), self.texts)
        except SecretWanted as error:
            self.add_error(error.setting, str(error))
        return self.cleaned_data

    @property
    def texts(self) -> dict[str, str]:
        """What is to be stored."""
        return {name: text for name, text in self.cleaned_data.items() if text and not self.fields[name].disabled}


def _form_field(field: ProviderField) -> forms.Field:
    stored = stored_settings.text(field.setting)
    has_said = bool(stored) and field.is_secret
    attributes = {"autocomplete": "new-password" if field.is_secret else "off", "spellcheck": "false"}
    if has_said:
        attributes["placeholder"] = str(_("Stored. Write a new one to replace it."))
    options: dict[str, Any] = {
        "label": field.label,
        "help_text": field.help,
        "required": field.is_needed and not has_said and not is_given(field.setting),
        "disabled": is_given(field.setting),
        "initial": "" if field.is_secret else stored or field.default,
    }
    if field.choices:
        choices = [(each, each) for each in field.choices]
        return forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget(), **options)
    return forms.CharField(max_length=LONGEST, widget=_widget(field, attributes), **options)


def _widget(field: ProviderField, attributes: dict[str, str]) -> forms.Widget:
    widget: forms.Widget
    if field.is_long:
        made = _LongSecret if field.is_secret else UnfoldAdminTextareaWidget
        widget = made(attrs=attributes | {"rows": "6"})
    elif field.is_secret:
        widget = UnfoldAdminPasswordWidget(attrs=attributes)
    else:
        widget = UnfoldAdminTextInputWidget(attrs=attributes)
    return widget


class OrderForm(forms.Form):
    """A place and perhaps a weight for each provider; without a place it is off."""

    def __init__(self, *args: Any, channel: str, known: list[str], order: Order, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.channel, self.known = channel, known
        weights = dict(zip(order.names, order.weights, strict=False))
        for name in known:
            place = order.names.index(name) + 1 if name in order.names else None
            self.fields[f"place_{name}"] = _number(_("Place of {name}"), name, place, 99)
            self.fields[f"weight_{name}"] = _number(_("Weight of {name}"), name, weights.get(name), MOST_WEIGHT)

    @property
    def rows(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """Provider by provider."""
        return [(name, self[f"place_{name}"], self[f"weight_{name}"]) for name in self.known]

    def clean(self) -> dict[str, Any]:
        """An order in which somebody can send."""
        found = self.cleaned_data
        places = [(found[f"place_{name}"], name) for name in self.known if found.get(f"place_{name}")]
        if len({place for place, _name in places}) < len(places):
            raise forms.ValidationError(_("Two providers have the same place."))
        weights = {name: found.get(f"weight_{name}") for name in self.known}
        words = [f"{name}:{weights[name]}" if weights[name] else name for _place, name in sorted(places)]
        try:
            self.order = order_of(words)
            require_usable(self.channel, self.order)
        except (ValueError, OrderRefused) as error:
            raise forms.ValidationError(str(error)) from error
        return found


def _number(label: Any, name: str, initial: int | None, most: int) -> forms.IntegerField:
    attributes = {"aria-label": str(label).format(name=name), "min": 1, "max": most, "inputmode": "numeric"}
    widget = UnfoldAdminIntegerFieldWidget(attrs=attributes)
    return forms.IntegerField(min_value=1, max_value=most, required=False, initial=initial, widget=widget)
