"""The roles a process can play, their commands and their ports."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRole:
    """One kind of process."""

    name: str
    #: The management command that plays it.
    command: str
    #: Added to PORT; None when it answers no /health.
    port_offset: int | None = None

    def port(self, base: int) -> int | None:
        """Where it answers, when the web process is at `base`."""
        return None if self.port_offset is None else base + self.port_offset


WEB = ServiceRole(name="web", command="run_web", port_offset=0)
EMAIL_CONSUMER = ServiceRole(name="email_consumer", command="run_email_consumer", port_offset=2)
PUSH_CONSUMER = ServiceRole(name="push_consumer", command="run_push_consumer", port_offset=3)
SWEEPER = ServiceRole(name="sweeper", command="run_sweeper")
RELAY = ServiceRole(name="relay", command="run_relay")

#: What `run_platform` starts, in this order.
PLATFORM = (WEB, EMAIL_CONSUMER, PUSH_CONSUMER, SWEEPER)


def platform_roles(*, with_relay: bool) -> tuple[ServiceRole, ...]:
    """The same, with a relay where there is a broker to relay to."""
    return (*PLATFORM, RELAY) if with_relay else PLATFORM
