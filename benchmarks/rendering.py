"""How long filling the words of one mail takes: ours, Django's own engine, plain replacing, in turns in the same run.

`python -m benchmarks.rendering [--count 300]` prints milliseconds of processor time per mail, and the ratios, which say
more: machines are noisy. A mail is subject, preheader, text and HTML of an example template, compiled beforehand as a
consumer has it. Django's engine fills the same sources without limits on time and output and without reading links;
plain replacing knows no loops, dates or escaping. Writes benchmarks/results/rendering.json.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifications_site.settings")

import django

django.setup()

from django.template import Context, Engine  # noqa: E402  Django first
from django.utils.translation import override  # noqa: E402  Django first

from templates_app.examples import HERE, read_example  # noqa: E402  Django first
from templates_app.layouts import finish  # noqa: E402  Django first
from templates_app.models import Layout, TemplateContent  # noqa: E402  Django first
from templates_app.preview import example_values  # noqa: E402  Django first
from templates_app.rendering import EmailWords, render_email  # noqa: E402  Django first
from templates_app.variables import parse_variables, typed_values  # noqa: E402  Django first

RESULTS = Path(__file__).resolve().parent / "results" / "rendering.json"
TURNS = 7
LOCALE = "de"
#: One with a few values, one with a table of articles, amounts and a date.
MAILS = ("order_shipped", "receipt")
GOAL_MILLISECONDS = 0.4


def words_and_values(code: str) -> tuple[EmailWords, dict[str, Any]]:
    """The words of an example as they are sent, with its example values."""
    file = read_example(code)
    written = file["contents"][LOCALE]["email"]
    layout = Layout(html=(HERE / "company_layout.html").read_text("utf-8"), text="{{ content }}\n\n{{ footer }}")
    content = TemplateContent(locale=LOCALE, channel="email", subject=written["subject"], html=written["html"])
    content.text = written["text"]
    html, text = finish(content, layout)
    declared = parse_variables(file["variables"])
    words = EmailWords(subject=written["subject"], preheader=written["preheader"], html=html, text=text)
    return words, typed_values(declared, example_values(declared))


def ours(words: EmailWords, values: dict[str, Any], key: str) -> Callable[[], object]:
    """As a consumer does it."""
    return lambda: render_email(words, values, locale=LOCALE, cache_key=key)


def with_django(words: EmailWords, values: dict[str, Any], key: str) -> Callable[[], object]:
    """Django's engine, templates compiled once."""
    escaping, plain = Engine(loaders=[]), Engine(loaders=[], autoescape=False)
    html = escaping.from_string(words.html)
    others = [plain.from_string(each) for each in (words.subject, words.preheader, words.text)]

    def fill() -> None:
        with override(LOCALE):
            html.render(Context(values))
            for each in others:
                each.render(Context(values, autoescape=False))

    return fill


def by_replacing(words: EmailWords, values: dict[str, Any], key: str) -> Callable[[], object]:
    """What one writes first."""
    pairs = [(f"{{{{ {name} }}}}", str(value)) for name, value in values.items()]

    def fill() -> None:
        for source in (words.subject, words.preheader, words.html, words.text):
            for placeholder, value in pairs:
                source = source.replace(placeholder, value)

    return fill


WAYS = {"ours": ours, "Django's engine": with_django, "plain replacing": by_replacing}


def milliseconds(fill: Callable[[], object], count: int) -> float:
    """Of processor time, per mail."""
    began = time.process_time()
    for _ in range(count):
        fill()
    return (time.process_time() - began) / count * 1000


def measure(code: str, count: int) -> dict[str, float]:
    """The best of several turns of each way."""
    words, values = words_and_values(code)
    ways = {name: way(words, values, code) for name, way in WAYS.items()}
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TURNS):
        for name, fill in ways.items():
            took[name].append(milliseconds(fill, count))
    return {name: round(min(each), 4) for name, each in took.items()}


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="mails of each way in each of seven turns")
    count = parser.parse_args().count
    best = {code: measure(code, count) for code in MAILS}
    for code, took in best.items():
        print(f"{code} ({LOCALE}, subject, preheader, text and HTML; goal {GOAL_MILLISECONDS} ms)")
        for name, each in took.items():
            print(f"  {name:20} {each:7.3f} ms   {each / took['ours']:5.2f} × ours")
    result = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "django": django.__version__},
        "goal_milliseconds": GOAL_MILLISECONDS,
        "milliseconds": best,
        "times_ours": {
            code: {name: round(each / took["ours"], 2) for name, each in took.items()} for code, took in best.items()
        },
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
