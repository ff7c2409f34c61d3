"""Layouts in the admin: one row per code; a page per version: the newest is written, older ones are read."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from templates_app.layout_preview import sample_mail
from templates_app.layouts import LayoutInvalid, check_layout, current_layout, locked_layout, store_layout
from templates_app.live_preview import Problem
from templates_app.mail_frame import mail_frame
from templates_app.models import Layout, Template
from templates_app.staff_views import needs, person, staff_view
from users.staff_pages import ReasonForm, StaffAdmin, StaffForm, action, ask_first, display
from users.templatetags.staff_pages import moment

SEE, ADD, CHANGE = (f"templates_app.{act}_layout" for act in ("view", "add", "change"))
#: Of the list of versions, and of the templates that are named.
LATEST, MOST_NAMED = 100, 20
STARTER_HTML = """<!doctype html>
<html lang="{{ locale }}" dir="{{ direction }}">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>{{ title }}</title></head>
<body style="margin: 0; padding: 24px; font-family: Arial, sans-serif;">
{{ content }}
<hr>
<p>Your company, its postal address</p>
{{ footer }}
</body>
</html>
"""
STARTER_TEXT = "{{ content }}\n\n--\nYour company, its postal address\n{{ footer }}"


class LayoutForm(StaffForm):
    """The next version, or the first."""

    class Meta:
        model = Layout
        fields = ("code", "name", "html", "text")
        labels: ClassVar[dict[str, Any]] = {"html": gettext_lazy("HTML"), "text": gettext_lazy("Text")}
        widgets: ClassVar[dict[str, Any]] = {
            "name": UnfoldAdminTextInputWidget(),
            "html": UnfoldAdminTextareaWidget(attrs={"rows": 20, "spellcheck": "false", "dir": "ltr"}),
            "text": UnfoldAdminTextareaWidget(attrs={"rows": 6, "spellcheck": "false"}),
        }
        help_texts: ClassVar[dict[str, Any]] = {
            "code": gettext_lazy("How templates name it, such as company. Fixed from now on; new ones have “default”."),
            "html": gettext_lazy(
                "{{ content }} once, where the words go; {{ header }} and {{ footer }} for their blocks."
            ),
            "text": gettext_lazy("{{ content }} once; for readers without HTML."),
        }

    def clean_code(self) -> str:
        """A code that is taken has a page of its own."""
        code: str = self.cleaned_data["code"]
        if current_layout(code):
            raise ValidationError(_("There is a layout with this code. Open it instead, or choose another."))
        return code

    def clean(self) -> dict[str, Any]:
        """Nothing is stored that no mail could be put in, and nothing over what somebody else has stored meanwhile."""
        said: dict[str, Any] = super().clean() or self.cleaned_data
        if "html" in said and "text" in said:
            try:
                check_layout(html=said["html"], text=said["text"])
            except LayoutInvalid as error:
                part, _separator, words = str(error).partition(": ")
                self.add_error(part, words)
        newest = locked_layout(self.instance.code) if self.instance.code else None
        if newest and newest.number != self.instance.number:
            words = _("v{n} was stored meanwhile. Take what you wrote along, and open the newest version.")
            self.add_error(None, words.format(n=newest.number))
        return said


@admin.register(Layout)
class LayoutAdmin(StaffAdmin):
    """Editors change the frame around all mails here."""

    form = LayoutForm
    list_display = ("what", "version", "stored_by", "stored", "used_by")
    list_select_related = ("created_by",)
    search_fields = ("code", "name")
    search_help_text = gettext_lazy("Code or name")
    actions = None
    sortable_by = ()
    actions_detail = ("bring_back",)
    fields = ("code", "name", "html", "text")
    change_form_outer_before_template = "admin/templates_app/layout_head.html"
    change_form_outer_after_template = "admin/templates_app/layout_preview.html"
    empty_title = gettext_lazy("No layouts yet")
    empty_text = gettext_lazy(
        "A layout is the frame around mails: logo, colours, address. Without one a mail is its words alone."
        " Add one with the code “default”, and new templates have it."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Layout]:
        """The newest of each code, with how many templates use it."""
        users = _templates_of(OuterRef("code")).order_by().values("layout").annotate(n=Count("pk")).values("n")
        rows: QuerySet[Layout] = super().get_queryset(request)
        return rows.filter(number=_newest_number()).annotate(users=Coalesce(Subquery(users), 0)).order_by("code")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Layout | None:
        """Of all versions."""
        try:
            return Layout.objects.select_related("created_by").annotate(newest=_newest_number()).get(pk=object_id)
        except (Layout.DoesNotExist, ValidationError, ValueError):
            return None

    def get_urls(self) -> list[URLPattern]:
        """The two previews."""
        own = [
            path("preview/", staff_view(xframe_options_sameorigin(written)), name="templates_app_layout_written"),
            path(
                "<uuid:layout_id>/preview/",
                staff_view(xframe_options_sameorigin(stored)),
                name="templates_app_layout_stored",
            ),
        ]
        return [*own, *super().get_urls()]

    # --- who may do what
    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only the newest is written on; the form tells whoever was overtaken, and keeps what they wrote."""
        may = super().has_change_permission(request, obj)
        return may and (request.method == "POST" or not isinstance(obj, Layout) or _is_newest(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """What was sent must stay explainable."""
        return False

    def has_write_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Editors store versions."""
        return request.user.has_perms([ADD, CHANGE])

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Templates know the code."""
        return ("code",) if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Something that works already."""
        is_first = not Layout.objects.filter(code="default").exists()
        return {"code": "default" if is_first else "", "html": STARTER_HTML, "text": STARTER_TEXT}

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The newest need not be brought back."""
        layout = self.get_object(request, str(object_id))
        buttons: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]  # the theme's
        return buttons if layout and not _is_newest(layout) else []

    # --- the page of one
    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Layout | None = None,
    ) -> HttpResponse:
        """With its versions, and who takes the next one."""
        is_written = self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)
        context |= {"show_save_and_continue": False, "show_save_and_add_another": False}
        if obj:
            names = list(_templates_of(obj.code).order_by("code").values_list("pk", "code")[: MOST_NAMED + 1])
            context |= {
                "layout": obj,
                "is_newest": _is_newest(obj),
                "newest_number": obj.newest,  # type: ignore[attr-defined]  # annotated above
                "takers": names[:MOST_NAMED],
                "has_more_takers": len(names) > MOST_NAMED,
                "versions": Layout.objects.filter(code=obj.code).select_related("created_by")[:LATEST],
                "may_write": self.has_write_permission(request),
                "frame_url": reverse("admin:templates_app_layout_stored", args=[obj.pk]),
            }
        else:
            context["frame_url"] = reverse("admin:templates_app_layout_written")
        if is_written:
            context["written_url"] = reverse("admin:templates_app_layout_written")
        return super().render_change_form(request, context, add, change, form_url, obj)

    # --- keeping
    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Layout:
        """By the use case: the next version."""
        said = form.instance
        return store_layout(code=said.code, name=said.name, html=said.html, text=said.text, by=person(request))

    def save_model(self, request: HttpRequest, obj: Layout, form: Any, change: bool) -> None:
        """It is stored already."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """There are none."""

    def response_add(
        self, request: HttpRequest, obj: Layout, post_url_continue: str | None = None
    ) -> HttpResponseRedirect:
        """Its page."""
        return self._stored(request, obj)

    def response_change(self, request: HttpRequest, obj: Layout) -> HttpResponseRedirect:
        """The page of the version that was made."""
        return self._stored(request, obj)

    def _stored(self, request: HttpRequest, layout: Layout) -> HttpResponseRedirect:
        messages.success(request, _("v{n} is the newest. Published mails keep theirs.").format(n=layout.number))
        return redirect("admin:templates_app_layout_change", layout.pk)

    @action(description=gettext_lazy("Bring back…"), permissions=["write"], icon="history")
    def bring_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Store an older version once more, as the newest."""
        layout = self.get_object(request, object_id)
        if layout is None:
            raise Http404
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            made = store_layout(
                **{each: getattr(layout, each) for each in ("code", "name", "html", "text")},
                by=person(request),
                reason=reason,
            )
            self.log_change(request, made, f"Brought back from v{layout.number}: {reason}")
            return self._stored(request, made)
        return ask_first(
            request,
            self,
            title=_("Bring back {code} v{n}?").format(code=layout.code, n=layout.number),
            question=_("It is stored again as the newest version. Templates take it at their next publish."),
            button=_("Bring it back"),
            back=reverse("admin:templates_app_layout_change", args=[layout.pk]),
            form=form,
            is_dangerous=False,
        )

    # --- the list
    @display(description=gettext_lazy("Layout"), header=True)
    def what(self, layout: Layout) -> list[str]:
        """Name and code."""
        return [layout.name, layout.code]

    @display(description=gettext_lazy("Newest"))
    def version(self, layout: Layout) -> str:
        """Its number."""
        return f"v{layout.number}"

    @display(description=gettext_lazy("Stored by"))
    def stored_by(self, layout: Layout) -> str:
        """Who."""
        return _name_of(layout)

    @display(description=gettext_lazy("Stored"))
    def stored(self, layout: Layout) -> str:
        """When."""
        return moment(layout.created_at)

    @display(description=gettext_lazy("Templates"))
    def used_by(self, layout: Layout) -> int:
        """How many name it."""
        return int(layout.users)  # type: ignore[attr-defined]  # annotated above


@needs(SEE)
def stored(request: HttpRequest, layout_id: UUID) -> HttpResponseBase:
    """Sample words in a version, alone, under a policy of its own; `?locale=ar` for right to left."""
    return _look(request, get_object_or_404(Layout, pk=layout_id))


@needs(ADD)
def written(request: HttpRequest) -> HttpResponseBase:
    """The same of what the form holds and nobody has stored."""
    html, text = request.POST.get("html", STARTER_HTML), request.POST.get("text", STARTER_TEXT)
    try:
        check_layout(html=html, text=text)
    except LayoutInvalid as error:
        return _in_words(str(error))
    return _look(request, Layout(code="preview", html=html, text=text))


def _look(request: HttpRequest, layout: Layout) -> HttpResponseBase:
    mail = sample_mail(layout, "ar" if request.GET.get("locale") == "ar" else "en")
    if isinstance(mail, Problem):
        return _in_words(f"{mail.where}: {mail.message}")
    return mail_frame(request, mail.html)


def _in_words(problem: str) -> HttpResponse:
    return HttpResponse(problem, content_type="text/plain; charset=utf-8")


def _templates_of(code: Any) -> QuerySet[Template]:
    return Template.objects.filter(layout=code, is_archived=False)


def _newest_number() -> Subquery:
    return Subquery(Layout.objects.filter(code=OuterRef("code")).order_by("-number").values("number")[:1])


def _is_newest(layout: Layout) -> bool:
    return bool(layout.number == layout.newest)  # type: ignore[attr-defined]  # annotated by get_object


def _name_of(layout: Layout) -> str:
    return (layout.created_by.name or str(layout.created_by)) if layout.created_by else "–"
