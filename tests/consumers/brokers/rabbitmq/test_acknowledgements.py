"""The bookkeeping of acknowledgements, against a broker that knows the rules."""

from hypothesis import given
from hypothesis import strategies as st

from consumers.brokers.rabbitmq.receiver import Acknowledgements


class RuleBook:
    """What RabbitMQ holds as delivered; an unknown tag would cost the channel."""

    def __init__(self, count: int) -> None:
        self.unacked = set(range(1, count + 1))
        self.frames = 0

    def take(self, frames) -> None:
        for tag, is_multiple in frames:
            self.frames += 1
            assert tag in self.unacked, "PRECONDITION_FAILED - unknown delivery tag"
            self.unacked -= {each for each in self.unacked if each <= tag} if is_multiple else {tag}


@given(st.data())
def test_the_broker_always_holds_exactly_what_is_not_done(data):
    count = data.draw(st.integers(1, 40))
    order = data.draw(st.permutations(range(1, count + 1)))
    rules, book, done = RuleBook(count), Acknowledgements(), set()
    while order:
        size = data.draw(st.integers(1, len(order)))
        part, order = order[:size], order[size:]
        if data.draw(st.booleans()):
            rules.take(book.of(part))
        else:  # rejected or given back, one by one
            for tag in part:
                rules.unacked.discard(tag)
                book.told(tag)
        done |= set(part)
        assert rules.unacked == set(range(1, count + 1)) - done


def test_what_is_done_in_order_takes_one_frame_a_batch():
    rules, book = RuleBook(300), Acknowledgements()
    for first in (1, 101, 201):
        rules.take(book.of(range(first, first + 100)))
    assert (rules.frames, rules.unacked) == (3, set())


def test_a_slow_thread_holds_nobody_back():
    rules, book = RuleBook(6), Acknowledgements()
    rules.take(book.of([4, 5, 6]))
    assert rules.unacked == {1, 2, 3}
    rules.take(book.of([1, 2, 3]))
    assert (rules.frames, rules.unacked) == (4, set())
