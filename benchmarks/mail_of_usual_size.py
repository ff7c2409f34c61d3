"""The words that are sent in every figure, ours and the peers': 2 kB of text, 6 kB of HTML, three variables.

Plain Python without any import, so that the peers' environment can read it as well.
"""

SUBJECT = "Your order {{ order }} is on its way, {{ name }}"
VARIABLES = ("name", "order", "link")
SENDER = "Shop <shop@example.com>"

_SENTENCE = "Thank you for ordering with us; the parcel left our house today and will be with you within three days. "
_PARAGRAPH = (
    '<tr><td class="text" style="padding:12px 24px;font-family:Helvetica,Arial,sans-serif;font-size:16px;'
    'line-height:24px;color:#1b2a33">' + _SENTENCE * 3 + "</td></tr>\n"
)


def _filled(begin: str, part: str, end: str, size: int) -> str:
    return begin + part * max(0, round((size - len(begin) - len(end)) / len(part))) + end


TEXT = _filled(
    "Hello {{ name }},\n\nyour order {{ order }} is on its way. Follow it here:\n{{ link }}\n\n",
    _SENTENCE.strip() + "\n",
    "\nYours,\nthe shop\n",
    2_000,
)
HTML = _filled(
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Your order</title></head>\n<body>'
    '<table role="presentation" width="100%">\n<tr><td><h1>Hello {{ name }},</h1>'
    "<p>your order <b>{{ order }}</b> is on its way.</p>"
    '<p><a href="{{ link }}">Follow it here</a></p></td></tr>\n',
    _PARAGRAPH,
    "</table></body></html>\n",
    6_000,
)


def person(number: int) -> str:
    """The client's id of a person."""
    return f"person-{number}"


def address(number: int) -> str:
    """Where that person gets mail."""
    return f"person-{number}@example.com"


def variables(number: int) -> dict[str, str]:
    """What is filled in for one notification."""
    return {
        "name": f"Person {number}",
        "order": f"A-{1_000_000 + number}",
        "link": f"https://shop.example.com/orders/{1_000_000 + number}",
    }
