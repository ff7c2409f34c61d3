"""Forms of the admin's pages about people and API keys."""

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from unfold.forms import UserChangeForm, UserCreationForm
from unfold.widgets import (
    INPUT_CLASSES,
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextInputWidget,
)

from users.api_keys import OVERLAP, PERSON_PREFIX, SCOPES
from users.channels import Channel
from users.models import ApiKey, QuietHours, User
from users.querysets import normalise_email
from users.rates import KEY_POLICIES, Rate, WrongRate, parse_rates
from users.staff_pages import ReasonForm, StaffForm
from users.staff_roles import IN_WORDS, Role, is_last_owner, roles_of

#: Monday is 0, as in Python.
WEEKDAYS = (
    (0, _("Monday")),
    (1, _("Tuesday")),
    (2, _("Wednesday")),
    (3, _("Thursday")),
    (4, _("Friday")),
    (5, _("Saturday")),
    (6, _("Sunday")),
)

#: Whoever revokes a key used within this time types its name.
IN_USE_LATELY = timedelta(hours=24)
LABELS = {"email": _("E-mail"), "external_id": _("Client's id"), "timezone": _("Time zone")}


class _Normalised:
    """Stores addresses as everywhere else: None when empty, the domain in small letters."""

    cleaned_data: dict[str, Any]

    def clean_email(self) -> str | None:
        """One address, one account, however it is spelled."""
        return normalise_email(self.cleaned_data["email"])

    def clean_external_id(self) -> str | None:
        """No id is not an empty id."""
        return self.cleaned_data["external_id"] or None


class _WithRoles(forms.Form):
    """The roles of staff, for whoever may give them; the page takes the field away from all others."""

    roles = forms.TypedMultipleChoiceField(
        label=_("Roles"),
        coerce=Role,
        choices=[(role.value, format_lazy("{}: {}", role.group, IN_WORDS[role])) for role in Role],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text=_("Whoever has one may sign in here. None: a person who is written to."),
    )
    instance: User

    def clean_roles(self) -> list[Role]:
        """Somebody must be left who can give roles."""
        roles: list[Role] = self.cleaned_data["roles"]
        if not self.instance._state.adding and is_last_owner(self.instance, roles):
            raise forms.ValidationError(_("This is the last owner. Make somebody else one first."))
        return roles


class PersonCreationForm(_WithRoles, _Normalised, UserCreationForm):  # type: ignore[misc]  # the theme ships no types
    """A new person; without a password nobody can sign in as them."""

    class Meta:
        model = User
        fields = ("email",)
        field_classes: ClassVar[dict[str, Any]] = {}
        labels = LABELS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        may_sign_in: Any = self.fields["usable_password"]
        may_sign_in.label, may_sign_in.help_text, may_sign_in.initial = _("Password"), "", "false"
        may_sign_in.choices = [("false", _("None: the person is only written to")), ("true", _("Set one now"))]
        may_sign_in.widget.choices = may_sign_in.choices


class PersonChangeForm(_WithRoles, _Normalised, UserChangeForm):  # type: ignore[misc]  # the theme ships no types
    """A person's data."""

    class Meta:
        model = User
        fields = "__all__"
        field_classes: ClassVar[dict[str, Any]] = {}
        labels = LABELS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "roles" in self.fields:
            self.initial["roles"] = roles_of(self.instance)


def _clock_widget() -> forms.TimeInput:
    """Wall-clock times of the person; the theme's own clock warns whenever the reader lives in another zone."""
    return forms.TimeInput(format="%H:%M", attrs={"type": "time", "class": " ".join(INPUT_CLASSES)})


class QuietHoursForm(StaffForm):
    """Weekdays and channels as boxes to tick; none means all."""

    start = forms.TimeField(label=_("From"), widget=_clock_widget())
    end = forms.TimeField(label=_("To"), widget=_clock_widget())
    days = forms.TypedMultipleChoiceField(
        label=_("Days"),
        coerce=int,
        choices=WEEKDAYS,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text=_("None means every day. A window over midnight belongs to the day it starts on."),
    )
    channels = forms.MultipleChoiceField(
        label=_("Channels"),
        choices=Channel.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text=_("None means every channel."),
    )

    class Meta:
        model = QuietHours
        fields = ("is_enabled", "start", "end", "days", "channels", "timezone")
        labels: ClassVar[dict[str, Any]] = {"is_enabled": _("Quiet hours are on"), "timezone": _("Time zone")}
        widgets: ClassVar[dict[str, Any]] = {"timezone": UnfoldAdminTextInputWidget()}
        help_texts: ClassVar[dict[str, Any]] = {"timezone": _("Empty: the person's own.")}

    def clean(self) -> dict[str, Any]:
        """Silence all day would be a switch, not hours."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if found.get("start") is not None and found.get("start") == found.get("end"):
            self.add_error("end", _("It cannot end at the minute it begins. To stop all messages, use the switches."))
        return found


class ApiKeyForm(forms.Form):
    """What a new key is for."""

    name = forms.CharField(
        label=_("Name"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("For people: who uses it, and what for."),
    )
    client = forms.CharField(
        label=_("Client"),
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("The system that sends. Keys of one client share request ids and notifications."),
    )
    mode = forms.ChoiceField(
        label=_("Kind"),
        choices=ApiKey.Mode.choices,
        initial=ApiKey.Mode.LIVE,
        widget=UnfoldAdminRadioSelectWidget(),
    )
    scopes = forms.MultipleChoiceField(
        label=_("May"),
        choices=[(scope, scope) for scope in SCOPES],
        initial=["notifications:write"],
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )
    days = forms.IntegerField(
        label=_("Valid for so many days"),
        min_value=1,
        max_value=3650,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text=_("Empty: until it is revoked."),
    )
    limits = forms.CharField(
        label=_("Own rate limits"),
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("Such as submit=5/m,read=100/m. Empty: those of the installation."),
    )

    def clean_client(self) -> str:
        """Names of people's own clients are not for keys."""
        client: str = self.cleaned_data["client"]
        if client.startswith(PERSON_PREFIX):
            raise forms.ValidationError(_("A client's name cannot begin with “person:”."))
        return client

    def clean_limits(self) -> dict[str, Rate]:
        """As rates by policy."""
        try:
            return parse_rates(self.cleaned_data["limits"], policies=KEY_POLICIES)
        except WrongRate as error:
            raise forms.ValidationError(str(error)) from error

    @property
    def valid_for(self) -> timedelta | None:
        """How long the key may be used; None means for good."""
        days = self.cleaned_data["days"]
        return timedelta(days=days) if days else None


class RotateForm(forms.Form):
    """For how long the old key works beside the new one."""

    hours = forms.IntegerField(
        label=_("Hours both keys work"),
        min_value=1,
        max_value=24 * 90,
        initial=int(OVERLAP.total_seconds() // 3600),
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text=_("Long enough to put the new one into every place that uses the old."),
    )

    @property
    def overlap(self) -> timedelta:
        """The same as a duration."""
        return timedelta(hours=self.cleaned_data["hours"])


class RevokeForm(ReasonForm):
    """Why; and the name of a key that was used within a day, so that nobody ends the wrong one."""

    def __init__(self, *args: Any, key: ApiKey, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key = key
        if key.last_used_at and timezone.now() - key.last_used_at < IN_USE_LATELY:
            self.fields["typed"] = forms.CharField(
                label=_("It was used within a day. Type its name, “{name}”, to go on.").format(name=key.name),
                widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
            )

    def clean_typed(self) -> str:
        """The very name."""
        typed: str = self.cleaned_data["typed"]
        if typed.strip() != self.key.name:
            raise forms.ValidationError(_("This is not its name."))
        return typed
