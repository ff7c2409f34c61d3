"""Use case: finished templates that a company can use as they are, with its own name, address and links in them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, cast

import yaml
from django.db import transaction

from templates_app import drafting, layouts, publishing
from templates_app.models import Layout, Template, TemplateContent
from templates_app.rendering import EmailWords, RenderedEmail, render_email
from templates_app.sample_data import example_values
from templates_app.selection import words_within
from templates_app.template_life import create_template
from templates_app.variables import parse_variables, typed_values
from users.channels import Channel
from users.models import User

HERE = Path(__file__).resolve().parent / "example_templates"
LAYOUT_NAME = "Company"
#: A file's members that are columns of a template, by the name of the column.
COLUMNS = {
    **{name: name for name in ("name", "description", "default_locale", "layout", "ttl_seconds", "on_unknown")},
    "category_id": "category",
}
#: Fields that are HTML, in which a name must be escaped.
HTML_FIELDS = frozenset({"html"})
REFUSED = re.compile(r"[\x00-\x1f{}<>]")


class UnknownExample(LookupError):
    """There is no example of this code; the message names those there are."""


class CompanyInvalid(ValueError):
    """What was said about the company cannot stand in a template; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Who writes. The files speak for the made-up one of the defaults."""

    name: str = "Harbour"
    address: str = "12 Quay Street, Port Example"
    #: Where people write with questions.
    mail: str = "help@harbour.example"

    def __post_init__(self) -> None:
        for field in ("name", "address", "mail"):
            value = getattr(self, field)
            if not value.strip() or REFUSED.search(value):
                raise CompanyInvalid(f"{field}: one line of text without braces and angle brackets, please.")
        if not re.fullmatch(r"[^\s@]+@[^\s@]+", self.mail):
            raise CompanyInvalid("mail: an e-mail address, please.")


HARBOUR = Company()


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What `add_examples` did."""

    #: Codes of templates that were made.
    added: tuple[str, ...]
    #: Codes that were taken already; those templates stay as they are.
    skipped: tuple[str, ...]


def example_codes() -> list[str]:
    """The codes of all examples."""
    return sorted(path.stem for path in HERE.glob("*.yaml"))


@cache
def read_example(code: str) -> Mapping[str, Any]:
    """The file of an example, as it stands: its columns, variables and contents. Raises `UnknownExample`."""
    if code not in example_codes():
        raise UnknownExample(f"There is no example {code}. There are {', '.join(example_codes())}.")
    return read_template_file(HERE / f"{code}.yaml")


def read_template_file(path: Path) -> Mapping[str, Any]:
    """A template of ours that is kept as a file."""
    loaded: Mapping[str, Any] = yaml.load(path.read_text("utf-8"), Loader=_Loader)  # noqa: S506  safe, only in C
    return loaded


#: The safe loader; written in C where there is one, which is ten times as fast.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@transaction.atomic
def add_examples(
    codes: Sequence[str] | None = None,
    *,
    company: Company = HARBOUR,
    by: User | None = None,
    note: str = "Example",
    is_dry_run: bool = False,
) -> Installed:
    """Make and publish templates of these examples, or of all. A code that is taken is left alone.

    With `is_dry_run` nothing is made, only told. Raises `UnknownExample`; then nothing was made.
    """
    files = {code: read_example(code) for code in (example_codes() if codes is None else codes)}
    taken = set(Template.objects.filter(code__in=files).values_list("code", flat=True))
    for code, file in files.items():
        if code not in taken and not is_dry_run:
            install_template(file, company=company, by=by, note=note)
    return Installed(added=tuple(code for code in files if code not in taken), skipped=tuple(sorted(taken)))


def begin_from_example(
    example: str, *, code: str, name: str, company: Company = HARBOUR, by: User | None = None
) -> Template:
    """A draft of one's own that begins with the words of an example; nothing is live until it is published.

    Raises `UnknownExample` and `CodeTaken`.
    """
    file = {**read_example(example), "code": code, "name": name}
    return install_template(file, company=company, by=by, publishes=False)


def example_mail(example: str, locale: str = "en") -> RenderedEmail:
    """How the mail of an example looks with its own values, in the layout of the examples. Raises `UnknownExample`."""
    file = read_example(example)
    variables = parse_variables(file["variables"])
    words = file["contents"][locale]["email"]
    content = TemplateContent(locale=locale, channel=Channel.EMAIL, **words)
    html, text = _layout_files(file["layout"])
    sources = words_within(content, Layout(code=file["layout"], html=html, text=text))
    return render_email(cast(EmailWords, sources), typed_values(variables, example_values(variables)), locale=locale)


@transaction.atomic
def install_template(
    file: Mapping[str, Any],
    *,
    company: Company = HARBOUR,
    by: User | None = None,
    note: str = "",
    publishes: bool = True,
) -> Template:
    """Make a template of a file and publish it; its layout, too, where there is none of this code."""
    if file["layout"]:
        _layout(file["layout"], company, by)
    columns = {column: file[member] for column, member in COLUMNS.items()}
    template = create_template(code=file["code"], by=by, **columns)
    draft = drafting.new_draft(template, by=by)
    contents = {
        (locale, channel): {field: _spoken_by(company, words, field) for field, words in content.items()}
        for locale, channels in file["contents"].items()
        for channel, content in channels.items()
    }
    drafting.save_draft(draft, by=by, variables=file["variables"], contents=contents)
    if publishes:
        publishing.publish(draft, by=by, note=note)
    return template


def _layout(code: str, company: Company, by: User | None) -> Layout:
    """A layout that somebody has changed since stays as it is."""
    if found := layouts.current_layout(code):
        return found
    html, text = _layout_files(code)
    return layouts.store_layout(
        code=code,
        name=LAYOUT_NAME,
        html=_spoken_by(company, html, "html"),
        text=_spoken_by(company, text, "text").strip(),
        by=by,
    )


def _layout_files(code: str) -> tuple[str, str]:
    """(HTML, text)."""
    html, text = ((HERE / f"{code}_layout.{suffix}").read_text("utf-8") for suffix in ("html", "txt"))
    return html, text


def _spoken_by(company: Company, words: Any, field: str) -> Any:
    """The words with the company's name, address and mail instead of those of the made-up one."""
    if company == HARBOUR or not isinstance(words, str):
        return words
    for member in ("mail", "address", "name"):
        ours = getattr(company, member)
        words = words.replace(getattr(HARBOUR, member), escape(ours) if field in HTML_FIELDS else ours)
    return words
