"""Whether a draft's mails can be made ready to send, before somebody tries to publish them."""

from collections.abc import Iterable, Iterator

from templates_app import layouts
from templates_app.compilation import CompilationProblem
from templates_app.findings import Finding, error
from templates_app.markup import read_markup
from templates_app.models import TemplateContent, TemplateVersion
from templates_app.safe_engine import TemplateSyntaxProblem
from users.channels import Channel


def check_compiled(version: TemplateVersion, contents: Iterable[TemplateContent]) -> Iterator[Finding]:
    """Mails of a draft that cannot be compiled, framed or turned into text, or are unsafe once they are."""
    for content in contents:
        if content.channel == Channel.EMAIL and content.html:
            yield from _check_mail(content, f"contents/{content.locale}/email/html", version)


def _check_mail(content: TemplateContent, path: str, version: TemplateVersion) -> Iterator[Finding]:
    try:
        finished = layouts.finish(content, version.frame)
    except (CompilationProblem, TemplateSyntaxProblem) as problem:
        yield error("syntax", path, problem.message, line=problem.line)
        return
    # MJML is read as what becomes of it, in which lines mean nothing to its author.
    if content.source_format == TemplateContent.SourceFormat.MJML:
        for _, sentence in read_markup(finished.html).problems:
            yield error("unsafe_markup", path, sentence)
