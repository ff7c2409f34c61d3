"""Use case: render words for somebody who wants to see them, of any version or of none. Nothing is stored or sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from templates_app.content_checks import check_content
from templates_app.findings import Finding
from templates_app.locales import fallback_chain
from templates_app.models import Template, TemplateContent, TemplateVersion
from templates_app.rendering import EmailWords, PushWords, RenderedEmail, RenderedPush, render_email, render_push
from templates_app.selection import (
    ChannelNotInTemplate,
    TemplateNotFound,
    TemplateNotPublished,
    TemplateVersionNotFound,
    words_in,
    words_within,
)
from templates_app.variables import VariableFinding, check_values, parse_variables, typed_values
from users.channels import Channel

#: Instead of a number.
LIVE, DRAFT = "live", "draft"


class ValuesMisfit(Exception):
    """The variables do not fit the declaration; `findings` names each."""

    def __init__(self, findings: Iterable[VariableFinding], *, template: str, version: int) -> None:
        self.findings = tuple(findings)
        self.template = template
        self.version = version
        super().__init__("; ".join(f"{each.pointer}: {each.detail}" for each in self.findings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of it."""

    #: None for loose words.
    template_code: str | None
    version: int | None
    locale: str
    channel: str
    rendered: RenderedEmail | RenderedPush
    findings: tuple[Finding, ...]


def template_by_code(code: str) -> Template:
    """Raises `TemplateNotFound`."""
    try:
        return Template.objects.select_related("live_version").get(code=code)
    except Template.DoesNotExist:
        raise TemplateNotFound(code) from None


def version_for(template: Template, asked: int | str = LIVE) -> TemplateVersion:
    """The version by its number, the live one or the draft. Raises what it raises for a version that is not there."""
    if asked == LIVE:
        if template.live_version is None:
            raise TemplateNotPublished(template.code)
        return template.live_version
    where = {"state": TemplateVersion.State.DRAFT} if asked == DRAFT else {"number": asked}
    version = template.versions.filter(**where).first()
    if version is None:
        raise TemplateVersionNotFound(f"{template.code} version {asked}")
    return version


def try_template(
    template: Template,
    *,
    version: int | str = LIVE,
    locale: str | None = None,
    channel: str | None = None,
    variables: Mapping[str, Any],
) -> Trial:
    """A stored version with these values. Without a channel it is e-mail, or the only one there is.

    Raises `TemplateNotPublished`, `TemplateVersionNotFound`, `ChannelNotInTemplate`, `ValuesMisfit`, `RenderingFailed`.
    """
    found = version_for(template, version)
    content = _content_for(found, default=template.default_locale, locale=locale, channel=channel)
    declared = parse_variables(found.variables)
    checked = check_values(declared, variables)
    if checked.findings:
        raise ValuesMisfit(checked.findings, template=template.code, version=found.number)
    return Trial(
        template_code=template.code,
        version=found.number,
        locale=content.locale,
        channel=content.channel,
        rendered=_rendered(words_in(content), typed_values(declared, checked.values), content.locale),
        findings=tuple(check_content(content, declared).findings),
    )


def try_words(
    words: Mapping[str, Any], *, channel: str, locale: str | None = None, variables: Mapping[str, Any]
) -> Trial:
    """Words that are stored nowhere; they may use any variable. Raises `RenderingFailed`."""
    content = TemplateContent(locale=locale or "en", channel=channel, **words)
    findings = check_content(content, ()).findings
    return Trial(
        template_code=None,
        version=None,
        locale=content.locale,
        channel=channel,
        rendered=_rendered(words_within(content, None), variables, content.locale),
        findings=tuple(each for each in findings if each.code != "variable_unknown"),
    )


def _content_for(version: TemplateVersion, *, default: str, locale: str | None, channel: str | None) -> TemplateContent:
    contents = {(each.locale, each.channel): each for each in version.contents.all()}
    if channel is None:
        channels = {each for _, each in contents}
        channel = Channel.PUSH if channels == {Channel.PUSH} else Channel.EMAIL
    for each in fallback_chain(locale, None, default):
        if content := contents.get((each, channel)):
            return content
    raise ChannelNotInTemplate(channel)


def _rendered(words: EmailWords | PushWords, values: Mapping[str, Any], locale: str) -> RenderedEmail | RenderedPush:
    if isinstance(words, EmailWords):
        return render_email(words, values, locale=locale)
    return render_push(words, values, locale=locale)
