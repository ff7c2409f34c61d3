"""The consumer's end: hints of one channel, shared by the sender threads of a process."""

import threading
from collections.abc import Callable
from datetime import timedelta

from consumers.brokers.base import Batch
from consumers.brokers.rabbitmq.link import Link
from consumers.brokers.rabbitmq.receiver import Receipt, Receiver
from consumers.brokers.rabbitmq.topology import PREFETCH, Topology


class RabbitMQBroker:
    """Implements `consumers.brokers.base.Broker`; every method may be called from any thread.

    `prefetch` bounds what all threads together have fetched and not acknowledged, batches in work included.
    """

    def __init__(self, url: str, channel: str, *, prefetch: int = PREFETCH, topology: Topology | None = None) -> None:
        self._topology = topology or Topology()
        self._receiver = Receiver(self._topology.queue(channel), prefetch=prefetch)
        self._link = Link(
            url,
            declarations=self._topology.declarations(),
            parts=[self._receiver],
            name=f"{channel} consumer",
        )

    def receive(self, limit: int, *, wait: timedelta) -> Batch:
        """Up to `limit` hints in the order of the queue."""
        if not self._link.wait_until_up(wait):
            self._link.require()
        taken = self._receiver.take(limit, wait=wait, is_up=lambda: self._link.is_up)
        if not taken.ids:
            self._link.require()
        return Batch(taken.ids, taken.again, taken.receipt)

    def ack(self, batch: Batch) -> None:
        """The hints are done with. Of a connection that was lost meanwhile they come again, to no effect."""
        receipt = batch.receipt
        if isinstance(receipt, Receipt) and receipt.tags:
            self._link.call(lambda: self._receiver.acknowledge(receipt))

    def stop_receiving(self) -> None:
        """Fetch nothing more; what no thread has taken goes to others. Acknowledgements still work."""
        self._link.call(self._receiver.stop)

    def close(self) -> None:
        """Hang up, after the acknowledgements given so far."""
        self._link.close()

    def shares(self, count: int) -> list["Share"]:
        """One for each sender thread. The first that closes ends the fetching, the last one hangs up."""
        shares: list[Share] = []
        lock = threading.Lock()

        def closed(share: Share) -> None:
            with lock:
                is_first = len(shares) == count
                shares.remove(share)
                is_last = not shares
            if is_last:
                self.close()
            elif is_first:
                self.stop_receiving()

        shares.extend(Share(self, closed) for _ in range(count))
        return list(shares)


class Share:
    """One sender thread's part of a broker. Implements `consumers.brokers.base.Broker`."""

    def __init__(self, broker: RabbitMQBroker, on_close: Callable[["Share"], None]) -> None:
        self._broker = broker
        self._on_close = on_close
        self._is_closed = False

    def receive(self, limit: int, *, wait: timedelta) -> Batch:
        """As the broker."""
        return self._broker.receive(limit, wait=wait)

    def ack(self, batch: Batch) -> None:
        """As the broker."""
        self._broker.ack(batch)

    def close(self) -> None:
        """This thread is done. May be called twice."""
        if not self._is_closed:
            self._is_closed = True
            self._on_close(self)
