"""What a person would get of words nobody has stored yet; or what is wrong with them, where, and what mends it."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from templates_app.mail_frame import in_scheme
from templates_app.models import Layout, TemplateContent
from templates_app.rendering import EmailWords, RenderedEmail, RenderedPush, RenderingFailed, render_email, render_push
from templates_app.safe_engine import DELIMITERS
from templates_app.safe_filters import FILTERS
from templates_app.selection import words_within
from templates_app.variables import DeclaredVariable, check_values, typed_values

TAGS = ("if", "elif", "else", "for", "empty", "with", "firstof", "comment")
NO_FILTER = re.compile(r"There is no filter '([^']*)'")
NO_TAG = re.compile(r"There is no tag '([^']*)'")
NO_END = re.compile(r"Unclosed tag on line \d+: '([^']*)'")
NO_VALUE = re.compile(r"(\w+)[\w.]* has no value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why there is nothing to see."""

    #: The part and line, for people.
    where: str
    message: str
    #: What mends it; empty where only the message can tell.
    fix: str = ""
    #: As the path of a finding, so that a click leads there.
    path: str = ""
    line: int | None = None


def render_content(
    content: TemplateContent, variables: Sequence[DeclaredVariable], values: Mapping[str, Any], layout: Layout | None
) -> RenderedEmail | RenderedPush | Problem:
    """The content, stored or not, within its frame and with these values."""
    checked = check_values(variables, values)
    if checked.findings:
        first = checked.findings[0]
        return Problem(where=f"{_('Sample data')}, {first.pointer.removeprefix('/variables/')}", message=first.detail)
    typed = typed_values(variables, checked.values)
    try:
        words = words_within(content, layout)
        if isinstance(words, EmailWords):
            return render_email(words, typed, locale=content.locale)
        return render_push(words, typed, locale=content.locale)
    except RenderingFailed as failure:
        return _problem(failure, content, [each.name for each in variables])


def as_shown(rendered: RenderedEmail | RenderedPush, *, locale: str, scheme: str) -> dict[str, Any]:
    """The rendered message as the page shows it."""
    notes = [_("The {part} is too long and was cut.").format(part=part) for part in rendered.cut]
    if isinstance(rendered, RenderedPush):
        shown = {name: getattr(rendered, name) for name in ("title", "body", "image", "link")}
        actions = [dict(each) for each in getattr(rendered, "actions", ())]
        return {"channel": "push", **shown, "data": dict(rendered.data), "actions": actions, "notes": notes}
    notes.append(_("{n} kB of HTML").format(n=round(len(rendered.html.encode()) / 1024, 1)))
    sender = settings.DEFAULT_FROM_EMAIL
    return {
        "channel": "email",
        "sender": sender.partition("<")[0].strip() or sender,
        "subject": rendered.subject,
        "preheader": rendered.preheader,
        "html": in_scheme(rendered.html, scheme),
        "text": rendered.text,
        "source": rendered.html,
        "headers": [["From", sender], ["Subject", rendered.subject], ["Content-Language", locale]],
        "notes": notes,
    }


def _problem(failure: RenderingFailed, content: TemplateContent, names: Sequence[str]) -> Problem:
    where = f"{failure.part}, {_('line {n}').format(n=failure.line)}" if failure.line else failure.part
    return Problem(
        where=where,
        message=failure.message,
        fix=fix_for(failure.message, names),
        path=f"contents/{content.locale}/{content.channel}/{failure.part}",
        line=failure.line,
    )


def fix_for(message: str, names: Sequence[str]) -> str:
    """What mends it, in a sentence; `names` are the declared variables."""
    if found := NO_VALUE.search(message):
        nearest = difflib.get_close_matches(found[1], names, n=1)
        if nearest:
            return _("Did you mean {name}?").format(name=f"{{{{ {nearest[0]} }}}}")
        return _("Declare {name} in the table of variables, or take it out.").format(name=found[1])
    if found := NO_FILTER.search(message):
        return _nearest(found[1], sorted(FILTERS), _("Filters:"))
    if found := NO_TAG.search(message):
        return _nearest(found[1], TAGS, _("Tags:"))
    if found := NO_END.search(message):
        return _("Close it with {tag}.").format(tag=f"{{% end{found[1]} %}}")
    if any(message.startswith(f"{opening} without") for opening in DELIMITERS):
        return _("Write {example}, on one line.").format(example="{{ name }}")
    return ""


def _nearest(word: str, known: Sequence[str], label: str) -> str:
    nearest = difflib.get_close_matches(word, known, n=1)
    if nearest:
        return _("Did you mean {name}?").format(name=nearest[0])
    return f"{label} {', '.join(known)}."
