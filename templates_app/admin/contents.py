"""The words of a version: one inline per channel, a block per language."""

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from templates_app.admin.drafts import is_draft
from templates_app.admin.forms import ContentForm, ContentFormSet
from templates_app.models import TemplateContent
from users.channels import Channel
from users.staff_pages import StaffStackedInline, display


class ContentInline(StaffStackedInline):
    """The words of one channel; changeable as long as the version is, which is a draft."""

    model = TemplateContent
    form = ContentForm
    formset = ContentFormSet
    extra = 0
    tab = True
    collapsible = True
    readonly_fields = ("look", "html_source", "text_source")
    channel: Channel

    def get_queryset(self, request: HttpRequest) -> QuerySet[TemplateContent]:
        """Those of this channel."""
        return super().get_queryset(request).filter(channel=self.channel)

    @display(description="HTML")
    def html_source(self, content: TemplateContent) -> SafeString:
        """As it was written, where it cannot be changed."""
        return format_html('<pre class="nt-code nt-wrap nt-tall">{}</pre>', content.html)

    @display(description=gettext_lazy("Text"))
    def text_source(self, content: TemplateContent) -> SafeString:
        """As it was written, where it cannot be changed."""
        return format_html('<pre class="nt-code nt-wrap nt-tall">{}</pre>', content.text)

    @display(description=gettext_lazy("Preview"))
    def look(self, content: TemplateContent) -> SafeString | str:
        """Leads to the words with example values."""
        if content._state.adding:
            return _("after saving")
        address = reverse("admin:templates_app_templateversion_look", args=[content.version_id, content.pk])
        return format_html('<a class="nt-link" href="{}">{}</a>', address, _("Look at it with example values"))


class EmailInline(ContentInline):
    """E-mail."""

    channel = Channel.EMAIL
    verbose_name = gettext_lazy("language")
    verbose_name_plural = gettext_lazy("E-mail")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Sources to write in a draft, to read in all others."""
        sources = ("html", "text") if is_draft(obj) else ("html_source", "text_source")
        return (("locale", "look"), ("subject", "preheader"), *sources)


class PushInline(ContentInline):
    """Push."""

    channel = Channel.PUSH
    verbose_name = gettext_lazy("language")
    verbose_name_plural = gettext_lazy("Push")
    fields = (("locale", "look"), "title", "body", ("image", "link"), "data")
