"""/demo/web-push/ in local mode: this browser subscribes, and really gets a Web Push, over the whole way.

The page asks the public API like any application. Where the browser has no push service at hand (no network, a browser
without its vendor's keys), one is played here: /demo/push-service/ keeps what it is sent, still encrypted, until the
page fetches it and decrypts it as the browser would.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from channels_push.service_settings import new_vapid_key
from channels_push.standins.mailboxes import Mailboxes
from gateway.demo_data import ADMIN_EMAIL, kept_api_key
from gateway.provider_order import Order, given_order, provider_order
from gateway.provider_set_up import store_order, store_settings
from gateway.provider_settings import provider_setting
from notifications_site.start_page import is_at_this_machine
from users.channels import Channel

WEB_PUSH = "webpush"
#: Who did it, in the audit log.
DEMO = "demo"
WORKER = Path(__file__).parent / "static" / "notifications_site" / "demo-worker.js"
#: One web process: enough for a demo.
mailboxes = Mailboxes()

View = Callable[..., HttpResponse]


def only_at_this_machine(view: View) -> View:
    """Elsewhere there is no such page."""

    @wraps(view)
    def guarded(request: HttpRequest, **path: str) -> HttpResponse:
        if not is_at_this_machine(request):
            raise Http404
        answer = view(request, **path)
        answer["Cache-Control"] = "no-store"
        return answer

    return guarded


@require_http_methods(["GET", "HEAD", "POST"])
@only_at_this_machine
def demo_page(request: HttpRequest) -> HttpResponse:
    """The page; a POST switches Web Push on where nobody has decided otherwise."""
    if request.method == "POST":
        if not is_on() and may_be_switched_on():
            switch_on()
        return redirect("web-push-demo")
    context = {
        "is_on": is_on(),
        "may_be_switched_on": may_be_switched_on(),
        "api_key": kept_api_key(Path(settings.VAR_DIR)),
    }
    return render(request, "web_push_demo.html", context)


@require_GET
@only_at_this_machine
def demo_worker(request: HttpRequest) -> HttpResponse:
    """The service worker, for all pages of the demo."""
    headers = {"Service-Worker-Allowed": "/demo/"}
    return HttpResponse(WORKER.read_bytes(), content_type="text/javascript; charset=utf-8", headers=headers)


def is_on() -> bool:
    """Whether pushes to browsers are sent by Web Push."""
    has_key = provider_setting("VAPID_PRIVATE_KEY") and provider_setting("VAPID_SUBJECT")
    return bool(has_key) and WEB_PUSH in provider_order(Channel.PUSH.value).names


def may_be_switched_on() -> bool:
    """Not where the environment says which push services there are, or somebody has shared out the traffic."""
    order = provider_order(Channel.PUSH.value)
    return WEB_PUSH in order.names or not (given_order(Channel.PUSH.value) or order.weights)


def switch_on() -> None:
    """Web Push first, for browsers alone, with a key of our own; whatever is there already stays."""
    made = {"VAPID_PRIVATE_KEY": new_vapid_key(), "VAPID_SUBJECT": f"mailto:{ADMIN_EMAIL}"}
    wanted = {name: text for name, text in made.items() if not provider_setting(name)}
    store_settings(provider=WEB_PUSH, texts=wanted, by=DEMO)
    order = provider_order(Channel.PUSH.value)
    if WEB_PUSH not in order.names:
        store_order(channel=Channel.PUSH.value, order=Order((WEB_PUSH, *order.names)), by=DEMO)


# --- the push service -------------------------------------------------------------------------------------------------
@csrf_exempt  # it gives out a name nobody knew before, and knows nothing of sessions
@require_POST
@only_at_this_machine
def subscribe(request: HttpRequest) -> HttpResponse:
    """A new endpoint, and where its messages lie."""
    name = mailboxes.subscribe()
    endpoint = request.build_absolute_uri(reverse("demo-push", args=[name]))
    return JsonResponse({"endpoint": endpoint, "messages": reverse("demo-push-messages", args=[name])}, status=201)


@csrf_exempt  # what comes is signed
@require_POST
@only_at_this_machine
def push(request: HttpRequest, *, name: str) -> HttpResponse:
    """What a push service answers (RFC 8030)."""
    headers = {key.lower(): value for key, value in request.headers.items()}
    given = mailboxes.put(name, request.body, headers, origin=f"{request.scheme}://{request.get_host()}")
    answer = JsonResponse(given.body, status=given.status) if given.body else HttpResponse(status=given.status)
    for key, value in given.headers.items():
        answer[key] = value
    return answer


@require_GET
@only_at_this_machine
def messages(request: HttpRequest, *, name: str) -> HttpResponse:
    """Those that came after the one the page has seen; 404 when the subscription has ended."""
    after = request.GET.get("after", "")
    found = mailboxes.messages(name, after=int(after) if after.isdecimal() else 0)
    if found is None:
        raise Http404
    return JsonResponse({"messages": found})
