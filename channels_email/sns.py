"""Amazon SNS, which carries the news of Amazon SES: a topic posts to us only after we have said that we want it.

The address to say so at is made from the topic's name, never taken from the post (its SubscribeURL): whoever knows the
secret could else have us call anybody (docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html).
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import structlog

from gateway import outbound_http

log = structlog.stdlib.get_logger(__name__)
_TOPIC = re.compile(
    r"arn:aws(?P<partition>|-cn|-us-gov):sns:(?P<region>[a-z]{2}(?:-[a-z]{2,12}){1,3}-\d):\d{12}:[\w-]{1,256}(?:\.fifo)?",
    re.ASCII,
)
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class NotConfirmed(Exception):
    """Amazon could not be told; the text says why."""


def confirm_subscription(message: Mapping[str, Any]) -> None:
    """Say that we want this topic's posts. Call it only for a post whose origin is proven. Raises `NotConfirmed`."""
    topic, token = str(message.get("TopicArn")), str(message.get("Token"))
    found = _TOPIC.fullmatch(topic)
    if found is None:
        raise NotConfirmed("TopicArn names no topic of Amazon SNS.")
    ending = "amazonaws.com.cn" if found["partition"] == "-cn" else "amazonaws.com"
    asked = {"Action": "ConfirmSubscription", "Version": "2010-03-31", "TopicArn": topic, "Token": token}
    try:
        answer = outbound_http.post(f"https://sns.{found['region']}.{ending}/", urlencode(asked).encode(), _FORM)
    except (outbound_http.CallFailed, outbound_http.AddressRefused) as error:
        raise NotConfirmed("Amazon SNS could not be reached.") from error
    if answer.status != 200:
        raise NotConfirmed(f"Amazon SNS answered {answer.status}.")
    log.info("Subscribed to a topic of Amazon SNS.", action="confirm_subscription", topic=topic)
