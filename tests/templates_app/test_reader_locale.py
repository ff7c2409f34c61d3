"""Numbers, amounts and plural forms in the reader's language."""

import pytest

from templates_app.rendering import PushWords, RenderingFailed, render_push


def shown(source, locale="en", **values):
    """Without the kinds of blanks that languages put between digits and signs."""
    text = render_push(PushWords(title=source, body="x"), values, locale=locale).title
    return text.replace("\xa0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("source", "locale", "expected"),
    [
        ("{{ n|number }}", "en", "1,234.5"),
        ("{{ n|number }}", "de", "1.234,5"),
        ("{{ n|number:2 }}", "fr", "1 234,50"),
        ("{{ n|number:0 }}", "en", "1,234"),
        ("{{ n|number }}", "xx", "1,234.5"),
        ("{{ n|number }}", "pt-BR-x-own", "1.234,5"),
        ('{{ n|currency:"EUR" }}', "en-GB", "€1,234.50"),
        ('{{ n|currency:"eur" }}', "de", "1.234,50 €"),
        ('{{ n|currency:"JPY" }}', "ja", "￥1,234"),
        ("{{ n|currency:code }}", "en", "CHF1,234.50"),
        ("{{ none|number }}{{ none|currency:code }}.", "en", "."),
    ],
)
def test_numbers_as_people_write_them(source, locale, expected):
    assert shown(source, locale, n=1234.5, code="CHF", none=None) == expected


PARCELS = '{{ n|plural:"one=# paczka|few=# paczki|many=# paczek|other=# paczki" }}'


@pytest.mark.parametrize(
    ("n", "locale", "expected"),
    [
        (1, "pl", "1 paczka"),
        (2, "pl", "2 paczki"),
        (5, "pl", "5 paczek"),
        (22, "pl", "22 paczki"),
        (5, "en", "5 paczki"),
    ],
)
def test_plural_forms_of_the_language(n, locale, expected):
    assert shown(PARCELS, locale, n=n) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{{ text|number }}",
        "{{ yes|number }}",
        "{{ huge|number }}",
        "{{ tiny|number:20 }}",
        "{{ n|number:21 }}",
        '{{ n|number:"2" }}',
        "{{ n|currency:1 }}",
        '{{ n|currency:"EURO" }}',
        '{{ n|plural:"parcel" }}',
        '{{ text|plural:"other=#" }}',
    ],
)
def test_what_is_no_number_stops_the_rendering(source):
    with pytest.raises(RenderingFailed):
        shown(source, n=1, text="1", yes=True, huge=1e300, tiny=1e-300)


def test_the_language_of_one_message_does_not_reach_the_next():
    assert [shown("{{ n|number }}", locale, n=1.5) for locale in ("de", "en", "de")] == ["1,5", "1.5", "1,5"]
