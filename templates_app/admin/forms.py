"""Forms of the template pages."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from templates_app.models import CODE, Layout, Template
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
            "layout",
            "ttl_seconds",
            "on_unknown",
            "needs_second_person",
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
            "layout": _("The frame around its mails."),
            "ttl_seconds": _("After so many seconds it is useless and is not sent any more; empty means 72 hours."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "layout" in self.fields:
            codes = {*Layout.objects.order_by().values_list("code", flat=True), self.instance.layout}
            choices = [(code, code) for code in sorted(codes)]
            self.fields["layout"].widget = UnfoldAdminSelectWidget(choices=choices)

    def clean_default_locale(self) -> str:
        """In its usual letters."""
        return clean_locale(self.cleaned_data["default_locale"])


class DuplicateForm(forms.Form):
    """How the copy is called."""

    code = forms.CharField(
        label=_("Code"),
        max_length=100,
        validators=[CODE],
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True, "autocomplete": "off"}),
        help_text=_("How clients ask for it, such as welcome_email."),
    )
    name = forms.CharField(label=_("Name"), max_length=200, widget=UnfoldAdminTextInputWidget())
