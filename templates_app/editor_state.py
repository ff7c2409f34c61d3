"""What the editor page knows of a template, as plain JSON: a version with its words and findings, sample data."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from templates_app.content_checks import Finding, check_version
from templates_app.drafting import FIELDS
from templates_app.editor_words import editor_words
from templates_app.locales import RIGHT_TO_LEFT_LANGUAGES, RIGHT_TO_LEFT_SCRIPTS
from templates_app.models import SampleSet, Template, TemplateVersion
from templates_app.sample_data import ALWAYS, EXAMPLES, sample_values
from templates_app.variables import DeclaredVariable
from templates_app.word_changes import word_changes
from templates_app.writers import names_of
from users.channels import Channel

#: What marks the id of a set that was kept with the template.
KEPT = "kept-"


def version_for_editing(template: Template, number: int | None) -> TemplateVersion | None:
    """The version of this number; without one the draft, else what is live, else the newest. None: there is none."""
    versions = template.versions.select_related("template").prefetch_related("contents")
    if number is not None:
        return versions.filter(number=number).first()
    draft = versions.filter(state=TemplateVersion.State.DRAFT).first()
    live = versions.filter(pk=template.live_version_id).first() if template.live_version_id else None
    return draft or live or versions.first()


def page_state(template: Template, version: TemplateVersion | None, *, may_write: bool) -> dict[str, Any]:
    """Everything the page needs to begin."""
    live = template.live_version
    return {
        "default_locale": template.default_locale,
        "live_number": live.number if live else None,
        "may_write": may_write,
        "version": version_state(version),
        "samples": sample_sets(template),
        "right_to_left": {
            "languages": sorted(RIGHT_TO_LEFT_LANGUAGES),
            "scripts": sorted(RIGHT_TO_LEFT_SCRIPTS),
        },
        "urls": _addresses(template),
        "words": editor_words(),
    }


def _addresses(template: Template) -> dict[str, str]:
    asked = {"save": "save", "preview": "look", "text": "make_text", "samples": "samples"}
    own = {name: reverse(f"admin:templates_app_template_{view}", args=[template.pk]) for name, view in asked.items()}
    # Sending is the business of a step above, which is known here by the name of its route alone.
    return own | {"test": reverse("template-test", args=[template.pk])}


def version_state(version: TemplateVersion | None) -> dict[str, Any]:
    """A version with its words; an empty one for a template without versions."""
    if version is None:
        return {
            "number": None,
            "revision": 0,
            "state": "",
            "is_draft": False,
            "contents": {},
            "variables": [],
            "findings": [],
        }
    is_draft = version.state == TemplateVersion.State.DRAFT
    return {
        "number": version.number,
        "revision": version.revision,
        "state": version.state,
        "is_draft": is_draft,
        "contents": contents_of(version),
        "variables": version.variables,
        "findings": [finding_state(each) for each in check_version(version)],
    }


def contents_of(version: TemplateVersion) -> dict[str, dict[str, dict[str, Any]]]:
    """locale → channel → field → words."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for content in version.contents.all():
        words = {field: getattr(content, field) for field in FIELDS[Channel(content.channel)]}
        found.setdefault(content.locale, {})[content.channel] = words
    return found


def finding_state(finding: Finding) -> dict[str, Any]:
    """A finding with words for where it is."""
    return {
        "level": finding.level,
        "code": finding.code,
        "path": finding.path,
        "line": finding.line,
        "where": place_words(finding.path, finding.line),
        "detail": finding.detail,
    }


def place_words(path: str, line: int | None = None) -> str:
    """`de · email · html · line 3` for a path such as contents/de/email/html."""
    kind, *steps = path.split("/")
    places = steps if kind == "contents" else [_("Variables"), *steps] if kind == "variables" else [kind, *steps]
    return " · ".join(filter(None, [*places, _("line {n}").format(n=line) if line else ""]))


# --- two who write at once --------------------------------------------------------------------------------------------
def who_changed(version: TemplateVersion | None) -> str:
    """Whoever wrote last, for people."""
    name = version.edited_by if version else ""
    return names_of([name]).get(name, "") or _("somebody")


def differences(version: TemplateVersion | None, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Where what is stored differs from what was to be stored, word by word."""
    stored = contents_of(version) if version else {}
    found = []
    for locale, channels in (body.get("contents") or {}).items():
        for channel, words in channels.items():
            theirs = stored.get(locale, {}).get(channel, {})
            for field, mine in (words or {}).items():
                before, after = str(theirs.get(field, "")), str(mine)
                if before != after:
                    path = f"contents/{locale}/{channel}/{field}"
                    found.append(_difference(path, before, after))
    if body.get("variables") is not None and version:
        before, after = (
            json.dumps(each, indent=1, ensure_ascii=False) for each in (version.variables, body["variables"])
        )
        found.append(_difference("variables", before, after))
    return found


def _as_text(variables: Any) -> str:
    return json.dumps(variables, indent=1, ensure_ascii=False)


def _difference(path: str, before: str, after: str) -> dict[str, Any]:
    pieces = [[each.kind, each.text] for each in word_changes(before, after)]
    return {"path": path, "place": place_words(path), "pieces": pieces}


# --- sample data ------------------------------------------------------------------------------------------------------
def sample_sets(template: Template) -> list[dict[str, Any]]:
    """Those that are always there, then those kept with the template."""
    always = [{"id": name, "name": str(words), "is_kept": False} for name, (words, _make) in ALWAYS.items()]
    kept = [{"id": f"{KEPT}{each.pk}", "name": each.name, "is_kept": True} for each in template.sample_sets.all()]
    return always + kept


def kept_set(template: Template, chosen: str) -> SampleSet | None:
    """The set of this id that was kept with the template."""
    number = chosen.removeprefix(KEPT)
    return template.sample_sets.filter(pk=int(number)).first() if number.isdecimal() else None


def values_of(template: Template, chosen: str, variables: Sequence[DeclaredVariable], typed: Any) -> dict[str, Any]:
    """The values to show: those typed by hand, else those of the chosen set; examples where they say nothing."""
    if isinstance(typed, dict):
        return sample_values(EXAMPLES, variables) | typed
    if kept := kept_set(template, chosen):
        declared = {each.name for each in variables}
        return sample_values(EXAMPLES, variables) | {
            name: value for name, value in kept.variables.items() if name in declared
        }
    return sample_values(chosen, variables)
