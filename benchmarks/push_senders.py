"""`python -m benchmarks.push_senders ours|send_each`: hands pushes to a stand-in for Firebase, no more."""

import argparse
import json
import multiprocessing
import os
import time
import uuid
import warnings
from multiprocessing.connection import Connection

TITLE, BODY = "Your parcel is on its way", "It arrives tomorrow between 9 and 11. You can still change the time."
DATA = {"order": "A-100200", "screen": "orders"}
BATCH = 500


def stand_in(told: Connection) -> None:
    """In a process of its own, until it is told to end."""
    from channels_push.standins.fcm import FcmStandIn

    with FcmStandIn(keep=False) as server:
        told.send(server.url)
        told.recv()
        told.send(server.accepted_count)


def by_ours(url: str, account: dict[str, str], count: int) -> float:
    """Seconds."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifications_site.settings")
    os.environ |= {"FCM_CREDENTIALS": json.dumps(account), "FCM_URL": url, "LOG_LEVEL": "WARNING"}
    import django

    django.setup()
    from channels_push.message import PushMessage
    from channels_push.providers.fcm import FcmProvider
    from gateway.channel_contract import Outcome
    from templates_app.rendering import RenderedPush
    from users.recipients import DeviceTarget

    words = RenderedPush(title=TITLE, body=BODY, image="", link="", data=DATA)
    messages = []
    for number in range(count):
        target = DeviceTarget(
            id=uuid.uuid4(), provider="fcm", kind="token", platform="android", token=f"token-{number:08}", name=""
        )
        messages.append(
            PushMessage(notification_id=uuid.uuid4(), device_id=target.id, message_id="n", device=target, words=words)
        )
    provider = FcmProvider()
    provider.connect()
    began = time.monotonic()
    for start in range(0, count, BATCH):
        answers = list(provider.send(messages[start : start + BATCH]))
        if not all(each.outcome is Outcome.ACCEPTED for each in answers):
            raise SystemExit("The stand-in refused a push.")
    took = time.monotonic() - began
    provider.close()
    return took


def by_send_each(url: str, account: dict[str, str], count: int) -> float:
    """Seconds."""
    warnings.filterwarnings("ignore", "Message.token is deprecated")
    import firebase_admin
    from firebase_admin import credentials, messaging

    app = firebase_admin.initialize_app(credentials.Certificate(account))
    service = messaging._get_messaging_service(app)
    service._fcm_url = f"{url}/v1/projects/stand-in/messages:send"
    # As for Google's own address, which the library would use: kept connections, a hundred at most.
    from requests.adapters import HTTPAdapter

    service._client.session.mount(url, HTTPAdapter(pool_connections=100, pool_maxsize=100))

    def batch(start: int, size: int) -> list[messaging.Message]:
        return [
            messaging.Message(
                token=f"token-{number:08}",
                data=DATA | {"notification_id": str(uuid.uuid4())},
                notification=messaging.Notification(title=TITLE, body=BODY),
                android=messaging.AndroidConfig(
                    priority="normal", ttl=3600, notification=messaging.AndroidNotification(sound="default")
                ),
            )
            for number in range(start, start + size)
        ]

    messaging.send_each(batch(0, 1))
    began = time.monotonic()
    for start in range(0, count, BATCH):
        answer = messaging.send_each(batch(start, min(BATCH, count - start)))
        if answer.failure_count:
            raise SystemExit("The stand-in refused a push.")
    return time.monotonic() - began


SENDERS = {"ours": by_ours, "send_each": by_send_each}


def main() -> None:
    """Prints one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sender", choices=SENDERS)
    parser.add_argument("--count", type=int, default=1_000)
    options = parser.parse_args()
    from channels_push.standins.fcm import service_account

    mine, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("fork").Process(target=stand_in, args=(theirs,))
    server.start()
    try:
        url = str(mine.recv())
        took = SENDERS[options.sender](url, service_account(f"{url}/token"), options.count)
        mine.send("end")
        taken = mine.recv()
    finally:
        server.terminate()
        server.join()
    if taken < options.count:
        raise SystemExit(f"The stand-in took {taken} of {options.count}.")
    print(json.dumps({"per_second": options.count / took}))


if __name__ == "__main__":
    main()
