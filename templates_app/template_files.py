"""Use cases: templates as files, one YAML file each with all its languages, for version control and other machines.

One file, because a version is published as a whole: a review sees at once that the German words lag behind. Keys stand
in a fixed order, sources of several lines as blocks, and what is empty or usual is left out, so that two files differ
where two templates differ and nowhere else.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import yaml
from django.db import transaction
from rest_framework.exceptions import ValidationError

from templates_app import drafting, publishing, template_life
from templates_app.answers import content_answer
from templates_app.content_checks import check_version
from templates_app.drafting import By
from templates_app.findings import Finding
from templates_app.models import Template, TemplateVersion
from templates_app.serializers import LARGEST_BODY, TemplateCreateSerializer
from users.validation_findings import findings

#: The columns of a template in the order of a file, and what is left out because it is usual.
COLUMNS = ("code", "name", "description", "category", "default_locale", "layout", "ttl_seconds", "on_unknown")
USUAL: dict[str, Any] = {"description": "", "layout": "default", "ttl_seconds": None, "on_unknown": "resend"}
#: The members of a variable, likewise.
USUAL_OF_VARIABLES: dict[str, Any] = {
    "name": ...,
    "type": ...,
    "required": False,
    "default": None,
    "example": None,
    "description": "",
    "sensitive": False,
}
ENDINGS = (".yaml", ".yml")
BOOLEANS = re.compile(r"^(?:true|false)$")


class FileInvalid(ValueError):
    """A file does not describe a template; `problems` says all that is wrong, each with its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFile:
    """What a file says."""

    columns: Mapping[str, Any]
    variables: list[dict[str, Any]]
    contents: Mapping[tuple[str, str], Mapping[str, Any]]
    samples: Mapping[str, Mapping[str, Any]]

    @property
    def code(self) -> str:
        """Of its template."""
        return str(self.columns["code"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What a file did, or would do."""

    code: str
    what: Literal["new", "changed", "unchanged"]
    #: The number of the version that was written; None where nothing was.
    version: int | None
    is_published: bool
    #: As `diff -u` shows it: from what is here to what the file says.
    difference: str
    findings: tuple[Finding, ...]


# --- writing ----------------------------------------------------------------------------------------------------------
class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, lists indented under their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:
        """Everything is written out."""
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def exported_text(template: Template, version: TemplateVersion | None) -> str:
    """The file of a template with the words of a version; without one only what holds for all."""
    shown: dict[str, Any] = {
        name: value
        for name in COLUMNS
        if (value := getattr(template, "category_id" if name == "category" else name)) != USUAL.get(name, ...)
    }
    if version:
        shown["variables"] = [_plain_variable(each) for each in version.variables]
        shown["contents"] = _plain_contents(version, template.default_locale)
    if samples := {each.name: _sorted(each.variables) for each in template.sample_sets.all()}:
        shown["samples"] = samples
    return yaml.dump(shown, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)


def exportable(template: Template) -> TemplateVersion | None:
    """The version a file shows: the live one, or the draft of a template that was never published."""
    return template.live_version or template.versions.filter(state=TemplateVersion.State.DRAFT).first()


def export_templates(folder: Path) -> Iterator[Path]:
    """Write a file for every template that is not archived; gives each path. Files of other templates stay."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in exported_files():
        path = folder / name
        path.write_text(text, encoding="utf-8", newline="\n")
        yield path


def exported_files() -> Iterator[tuple[str, str]]:
    """Name and text of the file of every template that is not archived. Five queries, however many there are."""
    unpublished = TemplateVersion.objects.filter(state=TemplateVersion.State.DRAFT, template__live_version=None)
    drafts = {each.template_id: each for each in unpublished.prefetch_related("contents")}
    templates = Template.objects.filter(is_archived=False).select_related("live_version")
    for template in templates.prefetch_related("live_version__contents", "sample_sets"):
        yield f"{template.code}.yaml", exported_text(template, template.live_version or drafts.get(template.pk))


def _plain_variable(variable: Mapping[str, Any]) -> dict[str, Any]:
    """In this order, whatever that of the database is."""
    names = [*USUAL_OF_VARIABLES, "fields"]
    return {
        name: _sorted(variable[name])
        for name in names
        if variable.get(name) not in (None, USUAL_OF_VARIABLES.get(name))
    }


def _sorted(value: Any) -> Any:
    """Plain data with its keys in order."""
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value


def _plain_contents(version: TemplateVersion, default: str) -> dict[str, dict[str, Any]]:
    contents: dict[str, dict[str, Any]] = {}
    for content in sorted(version.contents.all(), key=lambda each: (each.locale != default, each.locale, each.channel)):
        words = {name: _sorted(value) for name, value in content_answer(content).items() if value}
        contents.setdefault(content.locale, {})[content.channel] = words
    return contents


# --- reading ----------------------------------------------------------------------------------------------------------
class _Loader(yaml.SafeLoader):
    """Plain data without surprises: no dates, no words for true but `true`, no aliases, no key twice."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":bool", ":merge"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            where = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # left out of PyYAML's stubs
            raise yaml.constructor.ConstructorError(None, None, "aliases are not used here", where)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value]
        if doubled := {name for name in names if names.count(name) > 1}:
            words = f"written twice: {', '.join(sorted(doubled))}"
            raise yaml.constructor.ConstructorError(None, None, words, node.start_mark)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", BOOLEANS, ["t", "f"])


def read_template(text: str) -> TemplateFile:
    """What a file says, judged like a body of the API. Raises `FileInvalid` with everything that is wrong."""
    if len(text.encode("utf-8", "replace")) > LARGEST_BODY:
        raise FileInvalid([f"The file has more than {LARGEST_BODY // 1024} KiB."])
    try:
        said = yaml.load(text, Loader=_Loader)  # noqa: S506  a safe loader, made stricter
    except (yaml.YAMLError, RecursionError) as error:
        raise FileInvalid([_where(error)]) from error
    if not isinstance(said, dict):
        raise FileInvalid(["The file holds no template: code, name, variables, contents."])
    samples = said.pop("samples", None) or {}
    if not isinstance(samples, dict) or not all(isinstance(each, dict) for each in samples.values()):
        raise FileInvalid(["samples: names, and under each the values of variables."])
    body = TemplateCreateSerializer(data=said)
    try:
        body.is_valid(raise_exception=True)
    except ValidationError as error:
        raise FileInvalid([f"{each.pointer.lstrip('/')}: {each.detail}" for each in findings(error)]) from error
    return TemplateFile(
        columns=USUAL | {"default_locale": "en", "category_id": "updates"} | body.columns(),
        variables=body.validated_data.get("variables") or [],
        contents=body.validated_data.get("contents") or {},
        samples={str(name): each for name, each in samples.items()},
    )


def files_in(place: Path) -> list[Path]:
    """The template files of a folder, or the one file that was named."""
    if place.is_dir():
        return sorted(each for each in place.iterdir() if each.suffix in ENDINGS)
    return [place]


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "this is no YAML"
    return f"line {mark.line + 1}: {problem}" if mark else str(problem)


# --- taking in --------------------------------------------------------------------------------------------------------
class _OnlyLooking(Exception):
    """Undoes what a dry run has done."""


def import_template(
    file: TemplateFile,
    *,
    by: By = None,
    publishes: bool = False,
    note: str = "",
    acknowledge_breaking: bool = False,
    replaces_draft: bool = False,
    dry_run: bool = False,
) -> Imported:
    """Make the template what the file says: new words become a draft, published only if wished. All of it or nothing.

    A draft that says something else than the live version and the file is somebody's work: `DraftExists`, unless
    `replaces_draft`. Raises `PublishBlocked` too. A dry run does everything and undoes it.
    """
    try:
        with transaction.atomic():
            done = _import(file, by=by, replaces_draft=replaces_draft)
            if publishes and done.version is not None:
                version = TemplateVersion.objects.get(template__code=file.code, number=done.version)
                publishing.publish(version, by=by, note=note, acknowledge_breaking=acknowledge_breaking)
                done = replace(done, is_published=True)
            if dry_run:
                raise _OnlyLooking
    except _OnlyLooking:
        pass
    return done


def _import(file: TemplateFile, *, by: By, replaces_draft: bool) -> Imported:
    template = Template.objects.filter(code=file.code).select_related("live_version").first()
    is_new = template is None
    shown = exportable(template) if template else None
    before = exported_text(template, shown) if template else ""
    if template is None:
        template = template_life.create_template(by=by, **file.columns)
    else:
        template = template_life.change_template(template, by=by, **file.columns)
    for name, values in file.samples.items():
        template_life.save_sample_set(template, name=name, variables=values, by=by)
    draft, was_there = _write_draft(template, file, by=by, replaces_draft=replaces_draft)
    after = exported_text(template, draft)
    says_what_is_live = before == after and shown is not None and shown.pk != draft.pk
    if says_what_is_live and not was_there:
        drafting.delete_draft(draft, by=by)
    is_waiting = draft.pk is not None and not says_what_is_live
    return Imported(
        code=file.code,
        what="new" if is_new else "unchanged" if before == after else "changed",
        version=draft.number if is_waiting else None,
        is_published=False,
        difference=_difference(before, after, file.code),
        findings=tuple(check_version(draft)) if is_waiting else (),
    )


def _write_draft(
    template: Template, file: TemplateFile, *, by: By, replaces_draft: bool
) -> tuple[TemplateVersion, bool]:
    """The draft with the words of the file, and whether there was one before."""
    found = template.versions.filter(state=TemplateVersion.State.DRAFT).first()
    draft = found or drafting.new_draft(template, by=by)
    said = exported_text(template, draft)
    drafting.save_draft(draft, by=by, variables=file.variables, contents=file.contents, replace=True)
    if found and template.live_version and not replaces_draft:
        is_only_a_copy = said == exported_text(template, template.live_version)
        if not is_only_a_copy and said != exported_text(template, draft):
            raise drafting.DraftExists(template.code)
    return draft, found is not None


def _difference(before: str, after: str, code: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"{code} (here)", f"{code} (file)"
    )
    return "".join(lines)
