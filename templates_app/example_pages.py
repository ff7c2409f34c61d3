"""Finished templates to begin with: all of them with a look, and one taken over as a template of one's own."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from unfold.widgets import UnfoldAdminTextInputWidget

from templates_app.examples import (
    HARBOUR,
    Company,
    CompanyInvalid,
    UnknownExample,
    begin_from_example,
    example_codes,
    example_mail,
    read_example,
)
from templates_app.mail_frame import mail_frame
from templates_app.models import CODE, Layout, Template
from templates_app.staff_views import WRITE, needs, person, show_page, staff_view
from templates_app.template_life import CodeTaken
from users.channels import Channel

LAYOUT_TAKEN = gettext_lazy("Your layout “{layout}” is kept as it is; what you write here goes into the words.")


class TakeOverForm(forms.Form):
    """How the template is called, and who speaks in it."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=100,
        validators=[CODE],
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True, "autocomplete": "off"}),
        help_text=gettext_lazy("How clients ask for it, such as welcome_email."),
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200, widget=UnfoldAdminTextInputWidget())
    company = forms.CharField(
        label=gettext_lazy("Your company"),
        max_length=100,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "organization"}),
    )
    address = forms.CharField(
        label=gettext_lazy("Its postal address"), max_length=200, widget=UnfoldAdminTextInputWidget()
    )
    mail = forms.EmailField(
        label=gettext_lazy("Where people write with questions"),
        widget=UnfoldAdminTextInputWidget(attrs={"type": "email"}),
    )

    def clean(self) -> dict[str, Any]:
        """With the company as `examples.py` takes it."""
        said = super().clean() or {}
        if not self.errors:
            try:
                said["speaker"] = Company(name=said["company"], address=said["address"], mail=said["mail"])
            except CompanyInvalid as error:
                field, _separator, words = str(error).partition(": ")
                self.add_error("company" if field == "name" else field, words)
        return said


def example_urls() -> list[URLPattern]:
    """The routes of these pages, below those of the list."""
    look = staff_view(xframe_options_sameorigin(example_look))
    return [
        path("examples/", staff_view(examples_page), name="templates_app_template_examples"),
        path("examples/<slug:example>/preview/", look, name="templates_app_template_example_look"),
        path("examples/<slug:example>/add/", staff_view(add_example), name="templates_app_template_example_add"),
    ]


@needs(WRITE)
def examples_page(request: HttpRequest) -> HttpResponse:
    """All examples, and which of them are here."""
    codes = example_codes()
    here = dict(Template.objects.filter(code__in=codes).values_list("code", "pk"))
    context = {
        "title": _("Begin with a finished template"),
        "examples": [{**_shown(read_example(code)), "template_id": here.get(code)} for code in codes],
    }
    return show_page(request, "templates_app/examples", context)


@needs(WRITE)
def example_look(request: HttpRequest, example: str) -> HttpResponseBase:
    """Its mail alone, under a policy of its own; `?locale=` as the example has them."""
    file = _file_or_404(example)
    locale = request.GET.get("locale", file["default_locale"])
    if locale not in file["contents"]:
        raise Http404
    return mail_frame(request, example_mail(example, locale).html)


@needs(WRITE)
def add_example(request: HttpRequest, example: str) -> HttpResponse:
    """Ask how it is called; then make it, as a draft, and open the editor."""
    file = _file_or_404(example)
    form = TakeOverForm(request.POST or None, initial=_proposal(file))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            template = begin_from_example(
                example, code=said["code"], name=said["name"], company=said["speaker"], by=person(request)
            )
        except CodeTaken:
            form.add_error("code", _("There is a template with this code. Choose another."))
        else:
            words = _("{name} is a draft of yours now. Nothing is live until it is published.")
            messages.success(request, words.format(name=template.name))
            return redirect("admin:templates_app_template_editor", template.pk)
    has_layout = Layout.objects.filter(code=file["layout"]).exists()
    context = {
        "title": _("Begin with “{name}”").format(name=file["name"]),
        "example": _shown(file),
        "form": form,
        "layout_words": LAYOUT_TAKEN.format(layout=file["layout"]) if has_layout else "",
    }
    return show_page(request, "templates_app/example", context)


def _file_or_404(example: str) -> Mapping[str, Any]:
    try:
        return read_example(example)
    except UnknownExample as error:
        raise Http404(str(error)) from None


def _shown(file: Mapping[str, Any]) -> dict[str, Any]:
    found = {channel for content in file["contents"].values() for channel in content}
    return {
        "code": file["code"],
        "name": file["name"],
        "description": file["description"],
        "locale": file["default_locale"],
        "channels": [str(channel.label) for channel in Channel if channel in found],
        "locales": sorted(file["contents"]),
        "variables": [each["name"] for each in file["variables"]],
    }


def _proposal(file: Mapping[str, Any]) -> dict[str, str]:
    """The example's own code, or one that is free."""
    code, name = file["code"], file["name"]
    taken = set(Template.objects.filter(code__startswith=code).values_list("code", flat=True))
    if code in taken:
        number = next(each for each in range(2, len(taken) + 3) if f"{code}_{each}" not in taken)
        code, name = f"{code}_{number}", f"{name} {number}"
    return {"code": code, "name": name, "company": HARBOUR.name, "address": HARBOUR.address, "mail": HARBOUR.mail}
