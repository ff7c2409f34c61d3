"""What the use cases refuse, as problems of the API."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gateway.attachments import AttachmentsRefused
from gateway.callback_endpoints import MOST_ENDPOINTS, TooManyEndpoints
from gateway.decision import UserNotFound, VariablesInvalid
from gateway.idempotency import RequestIdReused
from gateway.outbound_http import AddressMalformed, AddressRefused
from gateway.submission import MomentsRefused
from templates_app.selection import (
    ChannelNotInTemplate,
    TemplateArchived,
    TemplateNotFound,
    TemplateNotPublished,
    TemplateVersionNotFound,
)
from users.problems import FieldError, Problem


@contextmanager
def as_problems() -> Iterator[None]:
    """Within it, an exception of a use case becomes the problem a client understands."""
    try:
        yield
    except tuple(TRANSLATIONS) as error:
        raise TRANSLATIONS[type(error)](error) from error


def _variables_invalid(error: Any) -> Problem:
    missing = [each.pointer.removeprefix("/variables/") for each in error.findings if each.code == "variable_missing"]
    detail = f"The template {error.template} version {error.version} needs {', '.join(missing)}." if missing else ""
    errors = [FieldError(each.pointer, each.code, each.detail) for each in error.findings]
    return Problem("variables_invalid", detail, errors=errors)


def _moments_refused(error: Any) -> Problem:
    errors = [FieldError(f"/{field}", code, detail) for field, code, detail in error.findings]
    return Problem("validation_error", errors=errors)


def _attachments_refused(error: Any) -> Problem:
    return Problem("validation_error", errors=[FieldError(*finding) for finding in error.findings])


def _too_many_endpoints(error: Any) -> Problem:
    words = f"A client has at most {MOST_ENDPOINTS} endpoints per mode; delete one first."
    return Problem("validation_error", errors=[FieldError("", "too_many", words)])


#: One line per exception, so that nothing is forgotten and nothing is caught by accident.
TRANSLATIONS: dict[type[Exception], Callable[[Any], Problem]] = {
    UserNotFound: lambda error: Problem("user_not_found", f"There is no person with the id {error}."),
    TemplateNotFound: lambda error: Problem("template_not_found", f"There is no template with the code {error}."),
    TemplateArchived: lambda error: Problem("template_archived", f"The template {error} is archived."),
    TemplateNotPublished: lambda error: Problem("template_not_published", f"The template {error} is only a draft."),
    TemplateVersionNotFound: lambda error: Problem("template_version_not_found", f"{error} was never published."),
    ChannelNotInTemplate: lambda error: Problem("channel_not_in_template", f"The template has no words for {error}."),
    VariablesInvalid: _variables_invalid,
    MomentsRefused: _moments_refused,
    AttachmentsRefused: _attachments_refused,
    AddressMalformed: lambda error: Problem("validation_error", errors=[FieldError("/url", "invalid", str(error))]),
    AddressRefused: lambda error: Problem("callback_url_refused", str(error)),
    TooManyEndpoints: _too_many_endpoints,
    RequestIdReused: lambda error: Problem("idempotency_key_reused", notification_id=error.notification_id),
}
