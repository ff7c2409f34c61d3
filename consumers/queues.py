"""The names of the delivery queues."""

from users.channels import Channel

EMAIL = "email.queue"
PUSH = "push.queue"
FAILED = "failed.queue"

#: Which queue carries the doorbells of a channel.
QUEUE_OF = {Channel.EMAIL: EMAIL, Channel.PUSH: PUSH}
