"""Whether a push service still knows a device, asked without sending. Named in the setting DEVICE_CHECK."""

import queue
import threading
from datetime import timedelta

import structlog
from django.utils.module_loading import import_string

from channels_push.channel import PROVIDERS
from gateway.channel_contract import Outcome, ProviderAway, SendResult
from gateway.provider_answers import TOKEN_GONE
from gateway.provider_order import provider_order
from users.channels import Channel
from users.device_checks import Checked
from users.device_tokens import SIMULATED_PREFIX
from users.models import Device

log = structlog.get_logger(__name__)

#: Somebody waits for the answer; a service that is slow counts as one that could not tell.
WITHIN = timedelta(seconds=5)
#: A service that hangs must not take every thread of a web process: who comes then is told at once that nobody knows.
AT_ONCE = 8
_room = threading.BoundedSemaphore(AT_ONCE)
NOT_ASKED = Checked(result="unknown", detail="Firebase could not be asked just now; the form of the token is right.")


def ask_provider(provider: str, kind: str, token: str) -> Checked | None:
    """Implements `users.device_checks.DeviceCheck`. Only Firebase can be asked without a push."""
    if provider != Device.Provider.FCM or provider not in provider_order(Channel.PUSH.value).names:
        return None
    if token.startswith(SIMULATED_PREFIX):
        return None
    answer = _answer_in_time(kind, token)
    return NOT_ASKED if answer is None else _meaning_of(answer)


def _meaning_of(answer: SendResult) -> Checked:
    if answer.outcome is Outcome.ACCEPTED:
        return Checked(result="valid", detail="Firebase would take a push for it; nothing was sent.")
    if answer.outcome is Outcome.PERMANENT and answer.reason == TOKEN_GONE:
        return Checked(result="invalid", detail=answer.detail)
    if not answer.concerns_all:
        return Checked(result="unknown", detail=answer.detail)
    # What is wrong with our account is for operators, not for whoever registers a device.
    log.warning("Firebase could not say whether a token is good.", action="check_device", code=answer.error_code)
    return NOT_ASKED


def _answer_in_time(kind: str, token: str) -> SendResult | None:
    """None when there is no room or no answer within `WITHIN`. The thread ends by its own time-outs."""
    if not _room.acquire(blocking=False):
        return None
    answers: queue.SimpleQueue[SendResult] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(_ask_firebase(kind, token))
        finally:
            _room.release()

    threading.Thread(target=ask, name="device-check", daemon=True).start()
    try:
        return answers.get(timeout=WITHIN.total_seconds())
    except queue.Empty:
        return None


def _ask_firebase(kind: str, token: str) -> SendResult:
    provider = import_string(PROVIDERS[Device.Provider.FCM])()
    try:
        answer: SendResult = provider.check_device(kind, token)
        return answer
    except ProviderAway as away:
        return away.result()
    finally:
        provider.close()
