"""The table of switches: what it shows, and what a saved form asks for."""

from datetime import UTC, datetime

from users.models import Category, ConsentEvent
from users.preferences import Wish, Wishes
from users.wish_matrix import matrix, wish_of_form

NEWS = Category(code="news", name="News", is_marketing=True)
SAFETY = Category(code="safety", name="Safety", is_mandatory=True)


def cells(switches, changes=None):
    """name → cell."""
    wishes = Wishes(switches=switches, categories=[NEWS, SAFETY], changed_at=None)
    return {cell.name: cell for row in matrix(wishes, changes or {}) for cell in row.cells}


def test_without_switches_channels_are_on_and_categories_follow_them():
    found = cells({})

    assert (found[".email"].choice, found[".email"].is_sent) == ("on", True)
    assert (found["news.push"].choice, found["news.push"].is_inherited, found["news.push"].is_sent) == (
        "follow",
        True,
        True,
    )


def test_a_channel_that_is_off_wins_over_its_categories_but_not_over_mandatory_ones():
    found = cells({("push", None): False, ("push", "news"): True})

    assert (found["news.push"].choice, found["news.push"].is_sent) == ("on", False)
    assert (found["safety.push"].is_locked, found["safety.push"].is_sent) == (True, True)
    assert found["news.email"].is_sent


def test_each_switch_names_whoever_set_it_last():
    event = ConsentEvent(channel="email", category_code="news", by="staff", who="Olga", at=datetime.now(UTC))

    found = cells({("email", "news"): False}, {("email", "news"): event})

    assert found["news.email"].changed_by == "Olga"
    assert found["news.push"].changed_by == ""


def test_a_form_asks_for_what_it_names_and_never_for_a_mandatory_category():
    posted = {".email": "off", ".push": "follow", "news.email": "on", "news.push": "follow", "safety.email": "off"}

    wish = wish_of_form(posted | {"gone.email": "on", "news.fax": "on"}, [NEWS, SAFETY])

    assert wish == Wish(channels={"email": False}, categories={"news": {"email": True, "push": None}})
