"""The reference documentation, written from the code, so that the two cannot differ."""

from collections.abc import Iterable
from pathlib import Path

from django.utils.translation import override
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema

from gateway.metrics import METRICS
from gateway.reasons import REASONS, pattern
from notifications_site.env import VARIABLES, Variable
from notifications_site.provider_errors import provider_error_lines
from users.problem_catalogue import PROBLEMS

WRITTEN_BY = "Written by `make reference` from the code; changes by hand are lost."


def reference_files() -> dict[Path, str]:
    """Path, relative to the project, → content of every generated file."""
    with override("en"):
        return {
            Path(".env.example"): env_example(VARIABLES.values()),
            Path("docs/reference/settings.md"): settings_page(VARIABLES.values()),
            Path("docs/reference/reasons.md"): reasons_page(),
            Path("docs/reference/problems.md"): problems_page(),
            Path("docs/reference/metrics.md"): metrics_page(),
            Path("docs/reference/provider_errors.md"): provider_errors_page(),
            Path("docs/reference/openapi.yaml"): openapi_file(),
        }


def env_example(variables: Iterable[Variable]) -> str:
    """Every variable, commented out, with its meaning and default."""
    lines = [
        "# Every variable the platform reads. Without any it runs by itself: SQLite, no broker, mail is captured.",
        "# Each may also be given as NAME_FILE: the path of a file that holds the value.",
        f"# {WRITTEN_BY}",
    ]
    for each in variables:
        lines += ["", f"# {each.meaning}", f"# Default: {each.default or 'none'}", f"#{each.name}="]
    return "\n".join(lines) + "\n"


def settings_page(variables: Iterable[Variable]) -> str:
    """The same as a table."""
    rows = [f"| `{each.name}` | {each.default or '–'} | {each.meaning} |" for each in variables]
    return _page(
        "Settings",
        "All settings are environment variables; each may also be given as `NAME_FILE`, the path of a file that holds "
        "the value. A wrong value stops the start and names the variable.",
        ["| variable | default | meaning |", "|---|---|---|", *rows],
    )


def reasons_page() -> str:
    """Why a notification is where it is."""
    rows = [f"| `{code}` | {each.word} | {pattern(code)} | {each.action or '–'} |" for code, each in REASONS.items()]
    return _page(
        "Reasons",
        "Every status comes with a reason. The code is stable, words may change. `{…}` is filled from the row.",
        ["| code | word | sentence | what to do |", "|---|---|---|---|", *rows],
    )


def problems_page() -> str:
    """Every error of the API."""
    rows = [
        f"| {each.status} | `{code}` | {each.title} | {each.meaning} | {each.fix} |" for code, each in PROBLEMS.items()
    ]
    return _page(
        "Problems",
        "Every error is `application/problem+json` (RFC 9457). Program against `code`; texts may change. "
        "Some codes belong to parts of the API that are still to come: see the status table in the README.",
        ["| status | code | title | meaning | fix |", "|---|---|---|---|---|", *rows],
    )


def metrics_page() -> str:
    """What `/metrics` tells."""
    rows = [
        f"| `{each.name}` | {each.kind} | {', '.join(f'`{label}`' for label in each.labels) or '–'} | {each.meaning} |"
        for each in METRICS.values()
    ]
    return _page(
        "Metrics",
        "What `GET /metrics` tells, in base units (seconds, ratios from 0 to 1). No label ever names a person, an "
        "address, a request or a key. Gauges are read from tables at most every five seconds, told by the web roles "
        "`all` and `gateway`; counters and histograms are those of the process asked, since its start. How to "
        "collect them: [watch_it.md](../how_to/watch_it.md).",
        ["| metric | kind | labels | meaning |", "|---|---|---|---|", *rows],
    )


def provider_errors_page() -> str:
    """What answers of providers mean."""
    return _page(
        "Provider errors",
        "What the answers of mail and push services mean, and what follows. An attempt keeps our word as `error_code` "
        "and the provider's own code as `provider_code`. Where several rows fit, the first one counts; words in quotes "
        "are a part of what the provider said. What is in no row is tried again and counted in "
        "`notify_unknown_answers_total`.",
        provider_error_lines(),
    )


def openapi_file() -> str:
    """The OpenAPI document, valid and in YAML."""
    # The library has no types for these.
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    validate_schema(schema)  # type: ignore[no-untyped-call]
    rendered: bytes = OpenApiYamlRenderer().render(schema, renderer_context={})  # type: ignore[no-untyped-call]
    return rendered.decode()


def _page(title: str, introduction: str, table: list[str]) -> str:
    return "\n".join([f"# {title}", "", introduction, "", *table, "", f"*{WRITTEN_BY}*", ""])
