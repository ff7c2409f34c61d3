"""Forms of the template pages: the words of a draft, its variables, the note of a publication."""

import json
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from templates_app.models import Template, TemplateContent, TemplateVersion
from templates_app.variables import DeclarationInvalid, variables_to_json
from users.locales import normalise_locale
from users.staff_pages import StaffForm


def clean_locale(text: str) -> str:
    """The usual letters of a locale, or an error a form shows."""
    try:
        return normalise_locale(text)
    except ValueError as error:
        raise ValidationError(str(error)) from error


class TemplateForm(StaffForm):
    """What holds for all versions."""

    class Meta:
        model = Template
        fields = (
            "code",
            "name",
            "category",
            "default_locale",
            "description",
            "ttl_seconds",
            "on_unknown",
            "is_archived",
        )
        widgets: ClassVar[dict[str, Any]] = {"description": UnfoldAdminTextareaWidget(attrs={"rows": 3})}
        labels: ClassVar[dict[str, Any]] = {
            "default_locale": _("Default language"),
            "ttl_seconds": _("Time to live, in seconds"),
            "on_unknown": _("When it is unclear whether it arrived"),
        }
        help_texts: ClassVar[dict[str, Any]] = {
            "code": _("How clients ask for it, such as welcome_email. Fixed once a version is live."),
            "default_locale": _("Used when a person's own language has no words."),
            "ttl_seconds": _("After so many seconds it is useless and is not sent any more; empty means 72 hours."),
            "is_archived": _("Nobody can send it any more; what was sent stays readable."),
        }

    def clean_default_locale(self) -> str:
        """In its usual letters."""
        return clean_locale(self.cleaned_data["default_locale"])


class _Indented(json.JSONEncoder):
    """JSON for people."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"indent": 2})


class VersionForm(StaffForm):
    """The declared variables of a draft."""

    variables = forms.JSONField(
        label=_("Variables, as JSON"),
        required=False,
        encoder=_Indented,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 14, "dir": "ltr"}),
        help_text=_(
            "A list of objects: name, type (string, integer, number, boolean, url, datetime, list), required, default, "
            "example, description, sensitive."
        ),
    )

    class Meta:
        model = TemplateVersion
        fields = ("variables",)

    def clean_variables(self) -> list[dict[str, Any]]:
        """Each of them in full, or what is wrong with it."""
        try:
            return variables_to_json(self.cleaned_data["variables"] or [])
        except DeclarationInvalid as error:
            raise ValidationError([f"{each.pointer}: {each.detail}" for each in error.findings]) from error


class ContentForm(StaffForm):
    """The words for one locale; fields write from the right where the language does."""

    class Meta:
        model = TemplateContent
        fields = ("locale", "subject", "preheader", "html", "text", "title", "body", "image", "link", "data")
        widgets: ClassVar[dict[str, Any]] = {
            "image": UnfoldAdminTextInputWidget(),
            "link": UnfoldAdminTextInputWidget(),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["dir"] = "auto"
        if not self.instance._state.adding and "locale" in self.fields:
            self.fields["locale"].disabled = True

    def clean_locale(self) -> str:
        """In its usual letters."""
        return clean_locale(self.cleaned_data["locale"])


class ContentFormSet(PaginationInlineFormSet):  # type: ignore[misc]  # the theme ships no types
    """All words of one channel."""

    def clean(self) -> None:
        """One content per locale."""
        super().clean()
        seen: set[str] = set()
        for form in self.forms:
            locale = "" if form.cleaned_data.get("DELETE") else form.cleaned_data.get("locale", "")
            if locale and locale in seen:
                form.add_error("locale", _("There are words for this language already."))
            seen.add(locale)


class PublishForm(forms.Form):
    """Why a new version."""

    note = forms.CharField(
        label=_("What changed"),
        max_length=1000,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}),
    )
