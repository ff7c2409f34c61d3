"""What the use cases refuse, as problems of the API."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from templates_app.drafting import DraftExists, PublicationScheduled, RevisionStale, TooManyLocales
from templates_app.models import VersionIsFixed
from templates_app.publishing import NeverPublished, PublishBlocked
from templates_app.rendering import RenderingFailed
from templates_app.selection import (
    ChannelNotInTemplate,
    TemplateNotFound,
    TemplateNotPublished,
    TemplateVersionNotFound,
)
from templates_app.template_life import CodeLocked, CodeTaken
from templates_app.trial import ValuesMisfit
from users.problems import FieldError, Problem


@contextmanager
def as_problems() -> Iterator[None]:
    """Within it, an exception of a use case becomes the problem a client understands."""
    try:
        yield
    except tuple(TRANSLATIONS) as error:
        raise TRANSLATIONS[type(error)](error) from error


def _code_taken(error: Any) -> Problem:
    taken = FieldError("/code", "not_unique", str(error), {"existing_id": str(error.existing_id)})
    return Problem("conflict", str(error), errors=[taken], existing_id=str(error.existing_id))


def _values_misfit(error: Any) -> Problem:
    missing = [each.pointer.removeprefix("/variables/") for each in error.findings if each.code == "variable_missing"]
    detail = f"The template {error.template} version {error.version} needs {', '.join(missing)}." if missing else ""
    errors = [FieldError(each.pointer, each.code, each.detail) for each in error.findings]
    return Problem("variables_invalid", detail, errors=errors)


def _rendering_failed(error: Any) -> Problem:
    more = {"line": error.line} if error.line else {}
    return Problem(
        "template_error", str(error), errors=[FieldError(f"/content/{error.part}", "syntax", str(error), more)]
    )


def _publish_blocked(error: Any) -> Problem:
    return Problem("publish_blocked", str(error), findings=[each.to_json() for each in error.findings])


def _too_many_locales(error: Any) -> Problem:
    return Problem("validation_error", errors=[FieldError("/contents", "too_many", str(error))])


#: One line per exception, so that nothing is forgotten and nothing is caught by accident.
TRANSLATIONS: dict[type[Exception], Callable[[Any], Problem]] = {
    CodeTaken: _code_taken,
    CodeLocked: lambda error: Problem("code_locked", str(error)),
    DraftExists: lambda error: Problem("draft_exists", f"{error} has a draft."),
    VersionIsFixed: lambda error: Problem("version_not_draft", " ".join(error.messages)),
    PublicationScheduled: lambda error: Problem("conflict", str(error)),
    RevisionStale: lambda error: Problem("precondition_failed", str(error)),
    TooManyLocales: _too_many_locales,
    PublishBlocked: _publish_blocked,
    NeverPublished: lambda error: Problem("template_version_not_found", f"{error} was never published."),
    TemplateNotFound: lambda error: Problem("template_not_found", f"There is no template with the code {error}."),
    TemplateNotPublished: lambda error: Problem("template_not_published", f"The template {error} is only a draft."),
    TemplateVersionNotFound: lambda error: Problem("template_version_not_found", f"There is no {error}."),
    ChannelNotInTemplate: lambda error: Problem("channel_not_in_template", f"The template has no words for {error}."),
    ValuesMisfit: _values_misfit,
    RenderingFailed: _rendering_failed,
}
