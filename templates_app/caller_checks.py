"""What a draft would break for those who send it: held against the live version and the callers of the last 30 days."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from templates_app.findings import Finding, error, warning
from templates_app.models import TemplateVersion
from templates_app.usage import CallerShape
from templates_app.variables import DeclaredVariable, VariableType, parse_variables

#: Old type → new types that take everything the old one took.
WIDER = {
    VariableType.INTEGER: {VariableType.NUMBER},
    VariableType.URL: {VariableType.STRING},
    VariableType.DATETIME: {VariableType.STRING},
}
#: Clients named in one sentence.
NAMED = 5


def check_callers(
    version: TemplateVersion, declared: Sequence[DeclaredVariable], callers: Sequence[CallerShape]
) -> Iterator[Finding]:
    """Variables that became required or of another type, and what callers send that nobody uses any more."""
    live = version.template.live_version
    if live is None:
        return
    before = {each.name: each for each in parse_variables(live.variables)}
    for variable in declared:
        old = before.pop(variable.name, None)
        path = f"variables/{variable.name}"
        if variable.required and not (old and old.required):
            yield error("breaking_change", path, f"{variable.name} became required.{_lacking(callers, variable.name)}")
        elif old and variable.type != old.type and variable.type not in WIDER.get(old.type, ()):
            yield error("breaking_change", path, f"{variable.name} was of the type {old.type}, now {variable.type}.")
    for name in sorted(before):
        if senders := _counts(each for each in callers if name in each.names):
            words = f"{name} is not declared any more; {_named(senders)} sent it in 30 days."
            yield warning("variable_removed", f"variables/{name}", words)


def _lacking(callers: Iterable[CallerShape], name: str) -> str:
    lacking = _counts(each for each in callers if name not in each.names)
    return f" In 30 days {_named(lacking)} did not send it." if lacking else ""


def _counts(callers: Iterable[CallerShape]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for each in callers:
        counts[each.client] += each.count
    return counts


def _named(counts: Counter[str]) -> str:
    named = ", ".join(f"{client} ({count:,} times)" for client, count in counts.most_common(NAMED))
    return f"{named} and {len(counts) - NAMED} more" if len(counts) > NAMED else named
