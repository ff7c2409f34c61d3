"""The names of the exchange and of the queues."""

from users.channels import Channel

EXCHANGE = "notifications.direct"
EMAIL = "email.queue"
PUSH = "push.queue"
FAILED = "failed.queue"

#: Which queue carries the doorbells of a channel.
QUEUE_OF = {Channel.EMAIL: EMAIL, Channel.PUSH: PUSH}
