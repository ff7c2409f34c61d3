"""Two texts word by word."""

from templates_app.word_changes import MOST_PIECES, word_changes


def test_words_that_stay_are_told_from_words_that_change():
    assert word_changes("Hello {{ name }}, welcome", "Hello {{ name }}, good day") == [
        ("same", "Hello {{ name }}, "),
        ("removed", "welcome"),
        ("added", "good day"),
    ]


def test_nothing_changes_in_the_same_text():
    assert word_changes("مرحبا", "مرحبا") == [("same", "مرحبا")]
    assert word_changes("", "") == []


def test_a_placeholder_changes_as_a_whole():
    assert ("removed", "{{ nmae }}") in word_changes("Hi {{ nmae }}", "Hi {{ name }}")


def test_long_texts_are_compared_by_lines():
    before = "".join(f"one {number}\n" for number in range(MOST_PIECES))
    assert word_changes(before, before + "three four\n")[-1] == ("added", "three four\n")
