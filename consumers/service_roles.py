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
    #: SERVICE_ROLE of a web process: the set of URLs it serves. None for all others.
    serves: str | None = None
    #: Roles it plays at once, each of them registered; empty for a role that is played by itself.
    plays: tuple[str, ...] = ()

    def port(self, base: int) -> int | None:
        """Where it answers, when the web process is at `base`."""
        return None if self.port_offset is None else base + self.port_offset


WEB = ServiceRole(name="web", command="run_web", port_offset=0, serves="all")
GATEWAY = ServiceRole(name="gateway", command="run_web", port_offset=0, serves="gateway")
USERS = ServiceRole(name="users", command="run_web", port_offset=1, serves="users")
EMAIL_CONSUMER = ServiceRole(name="email_consumer", command="run_email_consumer", port_offset=2)
PUSH_CONSUMER = ServiceRole(name="push_consumer", command="run_push_consumer", port_offset=3)
TEMPLATES = ServiceRole(name="templates", command="run_web", port_offset=5, serves="templates")
SWEEPER = ServiceRole(name="sweeper", command="run_sweeper")
RELAY = ServiceRole(name="relay", command="run_relay")
CALLBACK_SENDER = ServiceRole(name="callback_sender", command="run_callback_sender")
#: On one machine the two that mostly wait share a process: its memory is most of what they need.
SMALL_DUTIES = ServiceRole(name="small_duties", command="run_small_duties", plays=(CALLBACK_SENDER.name, SWEEPER.name))

#: Every role there is.
ROLES = (WEB, GATEWAY, USERS, EMAIL_CONSUMER, PUSH_CONSUMER, TEMPLATES, SWEEPER, RELAY, CALLBACK_SENDER)
#: What `run_platform` starts, in this order.
PLATFORM = (WEB, EMAIL_CONSUMER, PUSH_CONSUMER, SMALL_DUTIES)
#: One process a service, as docker-compose.yml and `run_services` start them: a test holds the two together.
SERVICES = (WEB, USERS, TEMPLATES, EMAIL_CONSUMER, PUSH_CONSUMER, RELAY, CALLBACK_SENDER, SWEEPER)


def platform_roles(*, with_relay: bool) -> tuple[ServiceRole, ...]:
    """The same, with a relay where there is a broker to relay to."""
    return (*PLATFORM, RELAY) if with_relay else PLATFORM


def service_roles(*, with_relay: bool) -> tuple[ServiceRole, ...]:
    """The separate services; without a broker there is nothing to relay to."""
    return tuple(role for role in SERVICES if with_relay or role is not RELAY)


def web_role(serves: str) -> ServiceRole:
    """The role of a web process with this SERVICE_ROLE."""
    return next(role for role in ROLES if role.serves == serves)
