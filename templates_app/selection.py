"""Which words: the live or pinned version of a template, in the closest locale.

Published versions never change, so what was read of one is kept in the process for good (the last few hundred).
Which version is live is kept for a second at most; this process forgets it as soon as a template or category changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from uuid import UUID

from templates_app.compilation import CompilationProblem
from templates_app.layouts import finish
from templates_app.locales import fallback_chain
from templates_app.models import Layout, Template, TemplateContent, TemplateVersion
from templates_app.rendering import EmailWords, PushWords, RenderingFailed
from templates_app.safe_engine import TemplateSyntaxProblem
from templates_app.variables import DeclaredVariable, parse_variables
from users import lately
from users.channels import Channel


class SelectionRefused(Exception):
    """The words that were asked for cannot be used; the subclasses say why."""


class TemplateNotFound(SelectionRefused):
    """No template has this code."""


class TemplateArchived(SelectionRefused):
    """The template was taken out of use."""


class TemplateNotPublished(SelectionRefused):
    """The template has only a draft so far."""


class TemplateVersionNotFound(SelectionRefused):
    """The pinned version does not exist or was never published."""


class ChannelNotInTemplate(SelectionRefused):
    """The version has no words for this channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionWords:
    """One published version with all its words."""

    version_id: UUID
    template_code: str
    number: int
    variables: tuple[DeclaredVariable, ...]
    #: (locale, channel) → words.
    contents: Mapping[tuple[str, str], EmailWords | PushWords]

    def locale_for(self, channel: str, *, requested: str | None, persons: str, default: str) -> str:
        """The first locale of the fall-back chain with words for `channel`.

        Raises `ChannelNotInTemplate` when no locale of the chain has any.
        """
        for locale in fallback_chain(requested, persons, default):
            if (locale, channel) in self.contents:
                return locale
        raise ChannelNotInTemplate(channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The template and version a request asks for."""

    template: Template
    words: VersionWords


def choose(code: str, pinned: int | None) -> Chosen:
    """The live version of `code`, or the pinned one if it was ever published.

    Raises `TemplateNotFound`, `TemplateArchived`, `TemplateNotPublished` or `TemplateVersionNotFound`.
    """
    template = _template_at(lately.moment(), code)
    if template.is_archived:
        raise TemplateArchived(code)
    if pinned is None:
        if template.live_version_id is None:
            raise TemplateNotPublished(code)
        return Chosen(template=template, words=words_of(template.live_version_id))
    published = template.versions.exclude(state=TemplateVersion.State.DRAFT).filter(number=pinned)
    version_id = published.values_list("pk", flat=True).first()
    if version_id is None:
        raise TemplateVersionNotFound(f"{code} version {pinned}")
    return Chosen(template=template, words=words_of(version_id))


@lru_cache(maxsize=500)
def _template_at(moment: tuple[int, int], code: str) -> Template:
    """As of up to a second ago. One that does not exist is not remembered: it may be made at any moment."""
    try:
        return Template.objects.select_related("category").get(code=code)
    except Template.DoesNotExist:
        raise TemplateNotFound(code) from None


@lru_cache(maxsize=500)
def words_of(version_id: UUID) -> VersionWords:
    """All words of a published version."""
    version = TemplateVersion.objects.select_related("template").get(pk=version_id)
    return VersionWords(
        version_id=version.pk,
        template_code=version.template.code,
        number=version.number,
        variables=parse_variables(version.variables),
        contents=MappingProxyType({(each.locale, each.channel): words_in(each) for each in version.contents.all()}),
    )


def words_in(content: TemplateContent) -> EmailWords | PushWords:
    """The sources of one content, for its channel; those of a draft as they would be published.

    Raises `RenderingFailed` for a draft that cannot be.
    """
    if content.version.state == TemplateVersion.State.DRAFT:
        return words_within(content, content.version.frame)
    return _words(content, html=content.compiled_html or content.html, text=content.compiled_text or content.text)


def words_within(content: TemplateContent, layout: Layout | None) -> EmailWords | PushWords:
    """The sources of one content, stored or not, as they would be published with a layout. Raises `RenderingFailed`."""
    if content.channel != Channel.EMAIL:
        return _words(content)
    try:
        html, text = finish(content, layout)
    except (CompilationProblem, TemplateSyntaxProblem) as problem:
        raise RenderingFailed("html", problem.message, problem.line) from None
    return _words(content, html=html, text=text)


def _words(content: TemplateContent, *, html: str = "", text: str = "") -> EmailWords | PushWords:
    if content.channel == Channel.EMAIL:
        return EmailWords(subject=content.subject, preheader=content.preheader, html=html, text=text)
    return PushWords(
        title=content.title,
        body=content.body,
        image=content.image,
        link=content.link,
        data=content.data,
        actions=tuple(content.actions),
    )
