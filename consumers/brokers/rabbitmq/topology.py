"""Exchange, queues and bindings, as steps that may be repeated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from consumers import queues
from users.channels import Channel

#: How often a hint may come back before the broker sets it aside: only a coarse guard. Consumers that die take their
#: neighbours' counts up with their own, so the row's crash count decides long before.
DELIVERY_LIMIT = 50
#: Hints fetched ahead by a consumer that was told no other number.
PREFETCH = 200
#: `failed.queue` is read by people; when nobody does, the oldest messages make room. Bytes.
FAILED_QUEUE_HOLDS = 64 * 1024 * 1024
#: No notification has it: a hint that only asks whether the way is open.
PROBE_ID = UUID(int=0)
#: In failed.queue a probe leaves no trace.
PROBE_LASTS = timedelta(0)


@dataclass(frozen=True, slots=True)
class Step:
    """One method of an AMQP channel that the broker answers."""

    #: What it is about, in words: queue email.queue.
    subject: str
    method: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Topology:
    """The names of one installation, and what is declared under them."""

    #: Put before every name, where several installations share a broker.
    prefix: str = ""

    @property
    def exchange(self) -> str:
        """Carries every hint."""
        return self.prefix + queues.EXCHANGE

    @property
    def failed(self) -> str:
        """The queue of dead letters and of messages nobody can read."""
        return self.prefix + queues.FAILED

    def queue(self, channel: str) -> str:
        """The queue of a channel; its routing key is the same."""
        return self.prefix + queues.QUEUE_OF[Channel(channel)]

    @property
    def delivery_queues(self) -> list[str]:
        """The queues that consumers drain."""
        return [self.prefix + name for name in queues.QUEUE_OF.values()]

    def declarations(self) -> list[Step]:
        """All of it, in the order in which one thing needs the other."""
        return [self._exchange(), *map(self._queue, self._all_queues()), *map(self._binding, self._all_queues())]

    def look(self) -> list[Step]:
        """Whether exchange and queues are there, without making them."""
        return [_passive(step) for step in self.declarations() if step.method in ("exchange_declare", "queue_declare")]

    def comparable(self, subjects: set[str]) -> list[Step]:
        """Declarations of what is there: the broker refuses those that differ and changes nothing."""
        return [step for step in self.declarations() if step.subject in subjects]

    def depth_of(self, queue: str) -> Step:
        """How many messages are ready in a queue, and how many consumers it has."""
        return Step(f"queue {queue}", "queue_declare", {"queue": queue, "passive": True})

    def removals(self) -> list[Step]:
        """Take all of it away again."""
        away = [Step(f"queue {name}", "queue_delete", {"queue": name}) for name in self._all_queues()]
        return [*away, Step(f"exchange {self.exchange}", "exchange_delete", {"exchange": self.exchange})]

    def _all_queues(self) -> list[str]:
        return [*self.delivery_queues, self.failed]

    def _exchange(self) -> Step:
        arguments = {"exchange": self.exchange, "exchange_type": "direct", "durable": True}
        return Step(f"exchange {self.exchange}", "exchange_declare", arguments)

    def _queue(self, name: str) -> Step:
        arguments: dict[str, Any] = {"x-queue-type": "quorum"}
        if name == self.failed:
            arguments |= {"x-max-length-bytes": FAILED_QUEUE_HOLDS}
        else:
            arguments |= {
                "x-delivery-limit": DELIVERY_LIMIT,
                "x-dead-letter-exchange": self.exchange,
                "x-dead-letter-routing-key": self.failed,
            }
        return Step(f"queue {name}", "queue_declare", {"queue": name, "durable": True, "arguments": arguments})

    def _binding(self, name: str) -> Step:
        arguments = {"queue": name, "exchange": self.exchange, "routing_key": name}
        return Step(f"binding of {name}", "queue_bind", arguments)


def _passive(step: Step) -> Step:
    name = {key: step.arguments[key] for key in ("exchange", "queue") if key in step.arguments}
    return Step(step.subject, step.method, {**name, "passive": True})
