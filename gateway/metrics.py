"""Every metric by name, and the functions by which use cases count. Nothing of a person, no id and no key is a label.

Counters and histograms belong to the process that counts; web workers share theirs through files (see
`consumers/metrics_page.py`). Gauges are read from tables by `consumers/table_gauges.py` when somebody asks.
What has been done stays done: whatever cannot be counted is left uncounted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.metrics_core import GaugeMetricFamily

log = structlog.stdlib.get_logger(__name__)

# When a counter began is no number anybody looks at, and would double what is told.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types for it

#: What this process counts.
REGISTRY = CollectorRegistry()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric as the documentation shows it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


#: Every metric there is, by its full name.
METRICS: dict[str, Metric] = {}

# Upper bounds in seconds.
_REQUEST = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_ATTEMPT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_END_TO_END = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
_QUERY = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)


def _described(kind: str, name: str, labels: tuple[str, ...], meaning: str) -> str:
    METRICS[name] = Metric(name=name, kind=kind, labels=labels, meaning=meaning)
    return name


def _counter(name: str, *labels: str, meaning: str) -> Counter:
    return Counter(_described("counter", name, labels, meaning), meaning, labels, registry=REGISTRY)


def _histogram(name: str, *labels: str, bounds: tuple[float, ...], meaning: str) -> Histogram:
    return Histogram(_described("histogram", name, labels, meaning), meaning, labels, registry=REGISTRY, buckets=bounds)


def _gauge(name: str, *labels: str, meaning: str) -> Metric:
    return METRICS[_described("gauge", name, labels, meaning)]


# --- counted by web processes -----------------------------------------------------------------------------------------
REQUESTS = _counter(
    "notify_api_requests_total",
    *("route", "method", "status", "key_type"),
    meaning="Requests answered, by route pattern, method, HTTP status and kind of credentials (live, test, person, "
    "none).",
)
REQUEST_DURATION = _histogram(
    "notify_api_request_duration_seconds",
    "route",
    bounds=_REQUEST,
    meaning="How long an answer took, by route pattern.",
)
REPLAYS = _counter(
    "notify_idempotent_replays_total",
    meaning="Submits that repeated a known request id and got the answer it got before.",
)

# --- counted where it happens -----------------------------------------------------------------------------------------
NOTIFICATIONS = _counter(
    "notify_notifications_total",
    *("channel", "status"),
    meaning="Notifications that reached a status, without tests. accepted counts submits; a way back to it is no "
    "submit.",
)
DEAD_LETTERS_TOTAL = _counter(
    "notify_dead_letters_total",
    *("channel", "reason"),
    meaning="Notifications given up, without tests, by the code of the reason.",
)
RETRIES = _counter(
    "notify_retries_total",
    *("channel", "provider"),
    meaning="Tries that failed and are made again later. Waiting because a provider asks for it is none.",
)
QUERY_DURATION = _histogram(
    "notify_database_query_duration_seconds", bounds=_QUERY, meaning="How long the database took over one statement."
)

# --- counted by consumers ---------------------------------------------------------------------------------------------
ATTEMPTS = _counter(
    "notify_delivery_attempts_total",
    *("channel", "provider", "outcome"),
    meaning="Answers of providers: accepted, transient, throttled, permanent, misconfigured, unknown. Pushes have one "
    "per device; the simulator's are left out.",
)
ATTEMPT_DURATION = _histogram(
    "notify_delivery_attempt_duration_seconds",
    *("channel", "provider"),
    bounds=_ATTEMPT,
    meaning="How long a provider took over one message.",
)
END_TO_END = _histogram(
    "notify_end_to_end_duration_seconds",
    *("channel", "lane"),
    bounds=_END_TO_END,
    meaning="From the submit, or the moment asked for, until a provider took it, quiet hours and retries included; "
    "without tests. Lanes: low, normal, high, critical.",
)
UNKNOWN_ANSWERS = _counter(
    "notify_unknown_answers_total",
    "channel",
    "provider",
    meaning="Answers of providers that are in no table; they are tried again.",
)
RENDER_ERRORS = _counter(
    "notify_render_errors_total",
    "template",
    meaning="Notifications given up because their template failed, without tests.",
)
BREAKER_TRANSITIONS = _counter(
    "notify_breaker_transitions_total",
    *("channel", "provider", "to"),
    meaning="Changes of a provider's circuit breaker that this process brought about: open, closed.",
)

# --- counted by whoever reads what comes back -------------------------------------------------------------------------
BOUNCE_MAILS = _counter(
    "notify_bounce_mails_total",
    "outcome",
    meaning="Mails to the return address: bounced, deferred, delivered, complained; and those that are no news: "
    "auto_reply, no_bounce, not_ours, other_feedback, unreadable. Those of a pipe are only logged.",
)

# --- counted by the callback sender -----------------------------------------------------------------------------------
CALLBACKS = _counter(
    "notify_callbacks_total",
    "outcome",
    meaning="Callbacks posted: delivered, refused (an answer other than 2xx), unanswered.",
)

# --- read from tables -------------------------------------------------------------------------------------------------
QUEUE_MESSAGES = _gauge(
    "notify_queue_messages",
    *("queue", "state"),
    meaning="Notifications of a queue: due, waiting (for their moment), queued (their hint is in RabbitMQ), sending "
    "(with a consumer). Counted up to 10,000.",
)
QUEUE_OLDEST_AGE = _gauge(
    "notify_queue_oldest_message_age_seconds",
    "queue",
    meaning="How long the oldest that is due or queued has been due; 0 when there is none. Of more than 10,000 "
    "the most urgent are looked at.",
)
OUTBOX_OLDEST_AGE = _gauge(
    "notify_outbox_oldest_age_seconds",
    meaning="How long the oldest has been due that neither relay nor consumer has taken; 0 when there is none.",
)
DEAD_LETTERS = _gauge(
    "notify_dead_letters",
    "channel",
    meaning="Dead letters that wait for a decision, without tests. Counted up to 10,000.",
)
OUTCOMES_UNKNOWN = _gauge(
    "notify_outcomes_unknown",
    "channel",
    meaning="Notifications that may or may not have gone out, without tests. Counted up to 10,000.",
)
CALLBACKS_PENDING = _gauge("notify_callbacks_pending", meaning="Callbacks still owed to clients. Counted up to 10,000.")
BREAKER_STATE = _gauge(
    "notify_breaker_state",
    *("channel", "provider", "state"),
    meaning="1 for the state a provider's breaker is in (closed, half_open, open), 0 for the others.",
)
HEARTBEAT = _gauge(
    "notify_consumer_heartbeat_timestamp_seconds",
    "role",
    meaning="When a process of this role was last heard of, in seconds since 1970.",
)
BUILD_INFO = _gauge(
    "notify_build_info", "version", "commit", meaning="Always 1; the labels say what runs. Every process tells it."
)


class Changed(NamedTuple):
    """What counts of one change of status."""

    channel: str
    status: str
    reason: str
    #: The provider whose failed try is made again; empty otherwise.
    retried: str = ""


def count_changes(changes: Iterable[tuple[Changed, int]]) -> None:
    """Statuses that followed, and how many times each; those of tests are left out. After their commit."""
    for change, many in changes:
        if change.retried:
            _count(RETRIES, change.channel, change.retried, many=many)
        if change.status != "accepted":
            _count(NOTIFICATIONS, change.channel, change.status, many=many)
        if change.status == "failed":
            _count(DEAD_LETTERS_TOTAL, change.channel, change.reason, many=many)


def count_submitted(channel: str, status: str) -> None:
    """A request that is no test was stored, with this first status. After its commit."""
    _count(NOTIFICATIONS, channel, status)


def count_replay() -> None:
    """A known request id got its earlier answer."""
    _count(REPLAYS)


def note_request(*, route: str, method: str, status: int, key_type: str, seconds: float) -> None:
    """A request was answered."""
    _count(REQUESTS, route, method, str(status), key_type)
    _observe(REQUEST_DURATION, route, seconds=seconds)


def note_attempt(*, channel: str, provider: str, outcome: str, seconds: float | None) -> None:
    """A provider answered for one message."""
    _count(ATTEMPTS, channel, provider, outcome)
    if seconds is not None:
        _observe(ATTEMPT_DURATION, channel, provider, seconds=seconds)


def note_end_to_end(*, channel: str, lane: str, seconds: float) -> None:
    """A notification has left for good."""
    _observe(END_TO_END, channel, lane, seconds=max(0.0, seconds))


def count_unknown_answer(*, channel: str, provider: str) -> None:
    """A provider said something we do not know."""
    _count(UNKNOWN_ANSWERS, channel, provider)


def count_render_error(template: str) -> None:
    """The template with this code failed."""
    _count(RENDER_ERRORS, template)


def count_breaker(channel: str, provider: str, to: str) -> None:
    """A breaker went to another state."""
    _count(BREAKER_TRANSITIONS, channel, provider, to)


def count_callback(outcome: str) -> None:
    """A callback was posted."""
    _count(CALLBACKS, outcome)


def count_bounce_mail(outcome: str) -> None:
    """A mail to the return address was read."""
    _count(BOUNCE_MAILS, outcome)


def note_query(seconds: float) -> None:
    """The database has answered."""
    _observe(QUERY_DURATION, seconds=seconds)


def family(metric: Metric) -> GaugeMetricFamily:
    """An empty gauge to be filled for one scrape."""
    return GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)


def _count(counter: Counter, *labels: str, many: int = 1) -> None:
    try:
        _counter_of(counter, labels).inc(many)
    except OSError as error:  # the file that web workers share: a full disk
        log.warning("Something could not be counted.", action="count", detail=type(error).__name__)


def _observe(histogram: Histogram, *labels: str, seconds: float) -> None:
    try:
        _histogram_of(histogram, labels).observe(seconds)
    except OSError as error:
        log.warning("Something could not be measured.", action="count", detail=type(error).__name__)


# The library looks a child up under a lock and by strings; this takes a third of that. Labels are words of our own,
# routes, providers and templates: there are not many.
@cache
def _counter_of(counter: Counter, labels: tuple[str, ...]) -> Counter:
    return counter.labels(*labels) if labels else counter


@cache
def _histogram_of(histogram: Histogram, labels: tuple[str, ...]) -> Histogram:
    return histogram.labels(*labels) if labels else histogram
