"""Locales: their usual letters, their order, their direction."""

import pytest

from templates_app.locales import fallback_chain, is_locale, is_right_to_left, normalise_locale


@pytest.mark.parametrize(
    ("given", "usual"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("pt_br", "pt-BR"),
        ("PT-br", "pt-BR"),
        ("es-419", "es-419"),
        ("zh_hant_tw", "zh-Hant-TW"),
        ("sr-latn", "sr-Latn"),
        ("de-ch-1996", "de-CH-1996"),
        ("sl-ROZAJ-Biske", "sl-rozaj-biske"),
        ("zh-CMN-hans-cn", "zh-cmn-Hans-CN"),
        ("DE-de-U-CO-PHONEBK", "de-DE-u-co-phonebk"),
        ("en-x-US-LATN", "en-x-us-latn"),
        (" fil ", "fil"),
    ],
)
def test_a_tag_is_written_in_its_usual_letters(given, usual):
    assert normalise_locale(given) == usual
    assert normalise_locale(usual) == usual
    assert is_locale(usual)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "e",
        "english",
        "en_US",
        "en-",
        "-en",
        "en--US",
        "en US",
        "en-US\n",
        "e1",
        "en-u",
        "x-private",
        "../etc",
        "ｅn",
        "en-" + "a" * 9,
        "en" + "-variant1" * 5,
        "12",
        "en-US-US",
    ],
)
def test_what_is_no_tag_is_recognised(text):
    assert not is_locale(text)


@pytest.mark.parametrize("text", ["", "english", "en-", "../etc", "en-US.UTF-8"])
def test_what_is_no_tag_cannot_be_normalised(text):
    with pytest.raises(ValueError, match="not a locale"):
        normalise_locale(text)


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
