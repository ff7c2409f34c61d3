"""Locales: their usual letters."""

import pytest

from users.locales import is_locale, normalise_locale


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
