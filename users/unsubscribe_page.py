"""The page behind an unsubscribe link: one button, and all switches of the person. Looking at it changes nothing."""

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from users.channels import Channel
from users.models import Category, User
from users.preferences import CategoryLocked, Origin, UnknownCategory, Wish, Wishes, change_preferences, read_wishes
from users.unsubscribe import ONE_CLICK, Subject, WrongLink, read_token, switch
from users.unsubscribe_words import WORDS, language_of

#: By what the page posts: is the category of the link wanted?
ACTIONS = {"unsubscribe": False, "resubscribe": True}
#: What stands for the whole channel in the names of the boxes.
WHOLE = ""


@csrf_exempt  # the link itself is the credential; mail programs post without having seen a page
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows, POST acts; a link we have not made is 404."""
    try:
        subject = read_token(token)
        if request.method == "POST":
            return _post(request, subject)
        if request.method in ("GET", "HEAD"):
            return _page(request, subject)
    except (WrongLink, UnknownCategory, User.DoesNotExist, Category.DoesNotExist) as error:
        raise Http404 from error
    return HttpResponseNotAllowed(["GET", "HEAD", "POST"])


def _post(request: HttpRequest, subject: Subject) -> HttpResponse:
    name, _, value = ONE_CLICK.partition("=")
    is_one_click = request.POST.get(name) == value
    origin = Origin(
        by="unsubscribe_link",
        source="one click" if is_one_click else "unsubscribe page",
        address=request.META.get("REMOTE_ADDR") or "",
    )
    action = "unsubscribe" if is_one_click else request.POST.get("action", "")
    if action in ACTIONS:
        try:
            switch(subject, wanted=ACTIONS[action], origin=origin)
        except CategoryLocked:
            return _page(request, subject)  # it has become mandatory since: the page says so
    elif action == "save":
        _save(request, subject, origin)
    else:
        return _page(request, subject, status=400)
    return _page(request, subject, has_saved=action == "save")


def _save(request: HttpRequest, subject: Subject, origin: Origin) -> None:
    """Only the boxes that say something else than before."""
    person = User.objects.get(pk=subject.user_id)
    wishes = read_wishes(person)
    channels = {each: box in request.POST for each, box in _boxes(WHOLE)}
    categories = {
        category.code: {
            channel: None if box in request.POST else False
            for channel, box in _boxes(category.code)
            if (box in request.POST) != (wishes.of_category(category.code, channel) is not False)
        }
        for category in wishes.categories
        if not category.is_mandatory
    }
    change_preferences(user=person, wish=Wish(channels=channels, categories=categories), origin=origin)


def _boxes(category: str) -> Iterator[tuple[str, str]]:
    """(channel, name of its box)."""
    return ((channel, f"{channel}:{category}") for channel in Channel.values)


def _page(request: HttpRequest, subject: Subject, *, status: int = 200, has_saved: bool = False) -> HttpResponse:
    person = User.objects.get(pk=subject.user_id)
    wishes = read_wishes(person)
    category = next((each for each in wishes.categories if each.code == subject.category), None)
    if category is None:
        raise WrongLink
    language = language_of(person.locale)
    words = WORDS[language]
    is_wanted = wishes.effective(category, subject.channel)
    said = {"category": category.name, "channel": words.channels[subject.channel]}
    context = {
        "language": language,
        "words": words,
        "sentence": (words.is_on if is_wanted else words.is_off).format(**said),
        "is_wanted": is_wanted,
        "is_locked": category.is_mandatory,
        "columns": list(words.channels.values()),
        "rows": list(_rows(wishes, words.everything)),
        "has_saved": has_saved,
    }
    response = render(request, "users/preferences.html", context, status=status)
    response["Content-Language"] = language
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def _rows(wishes: Wishes, everything: str) -> Iterator[dict[str, Any]]:
    """Whole channels first, then each category as it is set."""
    whole = [(box, wishes.of_channel(channel)) for channel, box in _boxes(WHOLE)]
    yield {"name": everything, "is_locked": False, "boxes": whole}
    for category in wishes.categories:
        boxes = [
            (box, wishes.of_category(category.code, channel) is not False) for channel, box in _boxes(category.code)
        ]
        yield {"name": category.name, "is_locked": category.is_mandatory, "boxes": boxes}
