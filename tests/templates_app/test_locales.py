"""Locales: their order, their direction."""

import pytest

from templates_app.locales import fallback_chain, is_right_to_left


@pytest.mark.parametrize(
    ("requested", "persons", "default", "chain"),
    [
        (None, None, "en", ["en"]),
        (None, "pt-BR", "en", ["pt-BR", "pt", "en"]),
        ("de-AT", "pt-BR", "en", ["de-AT", "de", "pt-BR", "pt", "en"]),
        ("de", "de-AT", "de", ["de", "de-AT"]),
        ("pt_br", "PT-BR", "en-GB", ["pt-BR", "pt", "en-GB"]),
        ("zh-Hant-TW", None, "en", ["zh-Hant-TW", "zh-Hant", "zh", "en"]),
        ("de-DE-u-co-phonebk", None, "en", ["de-DE-u-co-phonebk", "de-DE-u-co", "de-DE", "de", "en"]),
        ("", "", "fr", ["fr"]),
        ("nonsense!", "x", "fr", ["fr"]),
    ],
)
def test_the_request_comes_first_then_the_person_then_the_template(requested, persons, default, chain):
    assert fallback_chain(requested, persons, default) == chain


@pytest.mark.parametrize("locale", ["ar", "ar-EG", "he", "fa-IR", "ur", "az-Arab", "pa-arab-PK", "dv"])
def test_right_to_left(locale):
    assert is_right_to_left(locale)


@pytest.mark.parametrize("locale", ["en", "de-AT", "az", "zh-Hant-TW", "ar-Latn", "nonsense!", "", "pa"])
def test_left_to_right(locale):
    assert not is_right_to_left(locale)
