"""Send a test out of the template editor: what the preview shows, really handed over, the result in place."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from uuid_utils.compat import uuid7

from channels_email.channel import EmailChannel
from channels_push.channel import PushChannel
from gateway.channel_contract import Channel as DeliveryChannel
from gateway.channel_contract import Outcome
from gateway.provider_order import CAPTURE, provider_order
from gateway.test_sending import TestSent, send_test
from templates_app import layouts
from templates_app.editor_state import values_of
from templates_app.live_preview import Problem, render_content
from templates_app.models import Template, TemplateContent, TemplateVersion
from templates_app.staff_views import WRITE, find_template
from templates_app.variables import parse_variables
from users import audit
from users.channels import Channel
from users.models import User
from users.recipients import DeviceTarget, Recipient, load_recipients

INBOXES = {Channel.EMAIL: "channels_email_capturedemail", Channel.PUSH: "channels_push_capturedpush"}


class NotSent(Exception):
    """Nothing was tried; the text says why."""


@require_POST
def send_template_test(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Ask for version, locale, channel, to, sample and values; the answer is a sentence and where to look."""
    if not request.user.has_perm(WRITE) or not isinstance(request.user, User):
        raise PermissionDenied
    template = find_template(template_id)
    try:
        body = json.loads(request.body)
        content = _content(template, body)
        recipient = _recipient(request.user, content.channel, str(body.get("to", "")).strip())
        sent = _send(template, content, body, recipient, request.user)
    except (NotSent, ValueError, AttributeError) as error:
        return JsonResponse({"detail": str(error)}, status=400)
    audit.note(who=request.user, what="template.tested", about=template, after={"to": recipient.email})
    return JsonResponse(_answer(request, content.channel, sent))


def _content(template: Template, body: dict[str, Any]) -> TemplateContent:
    content = (
        TemplateContent.objects.filter(
            version__template=template,
            version__number=int(body.get("version") or 0),
            locale=body.get("locale"),
            channel=body.get("channel"),
        )
        .select_related("version__template__category", "version__layout")
        .first()
    )
    if content is None:
        raise NotSent(_("There are no such words. Save the draft first."))
    return content


def _recipient(me: User, channel: str, to: str) -> Recipient:
    try:
        validate_email(to)
    except ValidationError:
        raise NotSent(_("This is no e-mail address.")) from None
    person = me if to.lower() == (me.email or "").lower() else User.objects.with_email(to).first()
    found = load_recipients({person.pk}, channel=channel).get(person.pk) if person else None
    recipient = found or Recipient(
        id=me.pk, public_id="", name="", email=to, locale="en", timezone="UTC", is_active=True
    )
    if channel == Channel.PUSH and not recipient.devices and CAPTURE in provider_order(Channel.PUSH.value).names:
        recipient = replace(recipient, devices=(_pretended_phone(),))
    return replace(recipient, email=to)


def _pretended_phone() -> DeviceTarget:
    name = _("A phone")
    return DeviceTarget(id=uuid7(), provider=CAPTURE, kind="token", platform="android", token=name, name=name)


def _send(
    template: Template, content: TemplateContent, body: dict[str, Any], recipient: Recipient, by: User
) -> TestSent:
    version = content.version
    is_draft = version.state == TemplateVersion.State.DRAFT
    layout = layouts.current_layout(template.layout) if is_draft else version.layout
    variables = parse_variables(version.variables)
    values = values_of(template, str(body.get("sample")), variables, body.get("values"))
    words = render_content(content, variables, values, layout)
    if isinstance(words, Problem):
        raise NotSent(f"{words.where}: {words.message}")
    channel: DeliveryChannel = EmailChannel() if content.channel == Channel.EMAIL else PushChannel()
    return send_test(channel=channel, version=version, words=words, locale=content.locale, recipient=recipient, by=by)


def _answer(request: HttpRequest, channel: str, sent: TestSent) -> dict[str, Any]:
    is_accepted = sent.outcome is Outcome.ACCEPTED
    seconds = f"{sent.took.total_seconds():.2f}"
    if is_accepted:
        sentence = _("Accepted by {provider} in {seconds} s.").format(provider=sent.provider, seconds=seconds)
    elif sent.outcome is None and sent.detail == "no_device":
        sentence = _("This person has no active device.")
    else:
        sentence = _("{provider} did not take it: {detail}").format(provider=sent.provider, detail=sent.detail)
    shown_at = ""
    app, model = INBOXES[Channel(channel)].split("_captured")
    if is_accepted and sent.provider == CAPTURE and request.user.has_perm(f"{app}.view_captured{model}"):
        inbox = reverse(f"admin:{INBOXES[Channel(channel)]}_changelist")
        shown_at = f"{inbox}?notification={sent.notification_id}"
    return {"is_accepted": is_accepted, "sentence": sentence, "shown_at": shown_at}
