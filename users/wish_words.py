"""Wishes in words, for staff: who decided what, and what silence means just now. Pure; `now` is passed in."""

from collections.abc import Sequence
from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from users.channels import Channel
from users.models import ConsentEvent, QuietHours
from users.quiet_hours import quiet_until
from users.quiet_hours_setting import window_of

MINUTES_A_DAY = 24 * 60


def by_in_words(event: ConsentEvent) -> str:
    """Who decided: the person, a client, a colleague by name."""
    kind, _colon, name = event.by.partition(":")
    words = {
        "self": _("the person"),
        "unsubscribe_link": _("the person, by the link in a mail"),
        "provider": _("the person, through {provider}").format(provider=event.source),
        "client": name,
        "staff": event.who,
    }
    return words.get(kind) or event.by


def change_in_words(event: ConsentEvent, category_names: dict[str, str]) -> str:
    """“Marketing, E-mail: off”."""
    what = category_names.get(event.category_code, event.category_code) or _("Everything")
    words = {True: _("on"), False: _("off"), None: _("as the channel")}
    return f"{what}, {Channel(event.channel).label}: {words[event.became]}"


def silence_in_words(hours: QuietHours | None, *, name: str, zone: str, now: datetime) -> str:
    """“It is 23:10 for Ann; push waits until 07:00.” `zone` is the person's, `now` aware."""
    zone = (hours.timezone if hours else "") or zone
    clock = _clock(now, zone)
    if hours is None:
        return _("It is {clock} for {name}; nothing ever waits.").format(clock=clock, name=name)
    if not hours.is_enabled:
        return _("It is {clock} for {name}; quiet hours are switched off, nothing waits.").format(
            clock=clock, name=name
        )
    window = window_of(hours, zone)
    channels = [each for each in Channel if not window.channels or each in window.channels]
    end = quiet_until(window, channel=channels[0], now=now)
    spoken = _(" and ").join(each.label.lower() for each in channels)
    if end is None:
        return _("It is {clock} for {name}; nothing waits now.").format(clock=clock, name=name)
    if len(channels) > 1:
        words = _("It is {clock} for {name}; {channels} wait until {end}.")
    else:
        words = _("It is {clock} for {name}; {channels} waits until {end}.")
    return words.format(clock=clock, name=name, channels=spoken, end=_clock(end, zone))


def stretches(start: time, end: time) -> Sequence[tuple[float, float]]:
    """Silence on a bar of 24 hours: (begins at, as long as), in per cent; two stretches over midnight."""
    begins, ends = _minutes(start), _minutes(end)
    if begins < ends:
        return [_stretch(begins, ends)]
    return [each for each in (_stretch(0, ends), _stretch(begins, MINUTES_A_DAY)) if each[1]]


def place_on_bar(now: datetime, zone: str) -> float:
    """Where the present moment is on the bar, in per cent."""
    return _per_cent(_minutes(now.astimezone(ZoneInfo(zone)).time()))


def _clock(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%H:%M}"


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def _per_cent(minutes: int) -> float:
    return round(minutes / MINUTES_A_DAY * 100, 2)


def _stretch(begins: int, ends: int) -> tuple[float, float]:
    return _per_cent(begins), _per_cent(ends - begins)
