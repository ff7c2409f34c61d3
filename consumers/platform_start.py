"""What comes before the supervisor of `run_platform`: checks, preparation, the words for the person."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import NoReturn

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from consumers import ports
from consumers.brokers import choice
from consumers.loop_command import journal_folder
from consumers.process_group import own_command
from consumers.process_locks import AlreadyRunning, Holder, engine_alone, only_platform
from consumers.service_roles import PLATFORM, ServiceRole, platform_roles
from consumers.supervision import Plan, PlannedChild, become_supervisor
from consumers.sweeper import recover_at_boot
from gateway import demo_data, demo_samples
from gateway.demo_data import DemoSecrets

Say = Callable[[str], None]

ENDING = "Ctrl-C stops everything; the data stays in {where}."

#: How long the processes of a platform that was killed may take to notice it, in seconds.
ORPHANS_LEAVE_WITHIN = 5.0


class CannotStart(Exception):
    """Why not, and what to do, in one line."""


def run_platform(say: Say, *, check: Callable[[], None]) -> None:
    """Prepare, then become the supervisor of it all. `check` judges the settings. Raises `CannotStart`."""
    with alone() as before:
        require_ports(PLATFORM, command="make run", patiently=before is not None)
        check()
        secrets = prepare(say)
        roles = platform_roles(with_relay=choice.uses_rabbitmq())
        keep_alive(roles, say, command="run_platform", ready_ports=[settings.PORT], welcome=welcome(secrets))


@contextlib.contextmanager
def alone() -> Iterator[Holder | None]:
    """Be the only platform on this VAR_DIR. Yields the one before if it was killed. Raises `CannotStart`."""
    try:
        with only_platform(Path(settings.VAR_DIR), address=settings.PUBLIC_URL) as before:
            yield before
    except AlreadyRunning as error:
        holder = error.holder
        where = f" at {holder.address} (process {holder.pid})" if holder else ""
        raise CannotStart(
            f"The platform is already running{where}. Stop that one first: Ctrl-C where it runs."
        ) from error


def require_ports(roles: Sequence[ServiceRole], *, command: str, patiently: bool) -> None:
    """Raises `CannotStart`. Patient after a platform that was killed: its processes are just leaving."""
    offsets = [role.port_offset for role in roles if role.port_offset is not None]
    until = monotonic() + (ORPHANS_LEAVE_WITHIN if patiently else 0)
    while True:
        try:
            for offset in offsets:
                ports.require_free(settings.PORT + offset)
        except ports.PortTaken as taken:
            if monotonic() > until:
                base = ports.free_base(settings.PORT, offsets)
                raise CannotStart(f"{taken} Choose another: PORT={base} {command}") from taken
            sleep(0.2)
        else:
            return


def prepare(say: Say) -> DemoSecrets | None:
    """Tables, demo data, what a crash has left behind; returns what is known of the demo's secrets."""
    say("Preparing the database …")
    call_command("migrate", interactive=False, verbosity=0)
    folder = Path(settings.VAR_DIR)
    if settings.IS_LOCAL and not demo_data.is_seeded():
        say("Loading the demo data …")
        demo_data.seed_demo(keep_in=folder)
    _recover(say)
    secrets = demo_data.kept_secrets(folder) if settings.IS_LOCAL else None
    connections.close_all()
    return secrets


def _recover(say: Say) -> None:
    if connection.vendor != "sqlite":
        # Consumers of other hosts may be at work on the same database; leases look after the rest.
        return
    with engine_alone(Path(settings.VAR_DIR)) as is_alone:
        if is_alone:
            recovered = recover_at_boot(journal_folder=journal_folder(), rules=settings.DELIVERY_RULES)
            if recovered:
                say(f"Took up {recovered} notifications that were under way when the platform last ended.")


def keep_alive(
    roles: Sequence[ServiceRole], say: Say, *, command: str, ready_ports: Sequence[int], welcome: str
) -> NoReturn:
    """Become the supervisor of one process for each role, which ends when somebody stops it."""
    say(f"Starting {', '.join(role.name for role in roles)} …")
    plan = Plan(
        children=[child_of(role) for role in roles],
        ready_ports=ready_ports,
        welcome=welcome,
        folder=str(settings.VAR_DIR),
        log_level=settings.LOG_LEVEL,
        log_format=settings.LOG_FORMAT,
    )
    become_supervisor(plan, command=own_command(command))


def child_of(role: ServiceRole) -> PlannedChild:
    """The process that plays `role`, not started yet."""
    # This process has checked the settings for all of them.
    command = own_command(role.command, skip_checks=True, supervisor_pid=os.getpid())
    return PlannedChild(
        name=role.name, command=command, environment={"SERVICE_ROLE": role.serves} if role.serves else {}
    )


def welcome(secrets: DemoSecrets | None) -> str:
    """What a person needs next: addresses, credentials, a request to paste."""
    url = settings.PUBLIC_URL
    lines = ["", "The notification platform is running.", "", f"  Start page   {url}/"]
    lines += addresses(secrets)
    if secrets and secrets.api_key:
        lines += ["", *_first_steps(url, secrets.api_key)]
    lines += ["", ENDING.format(where=settings.VAR_DIR), ""]
    return "\n".join(lines)


def addresses(secrets: DemoSecrets | None) -> list[str]:
    """Where API and admin are, and how to get in."""
    url = settings.PUBLIC_URL
    lines = [f"  API          {url}/api/docs", f"  Admin        {url}/admin/"]
    if secrets:
        password = secrets.admin_password or "(with the password you chose)"
        key = secrets.api_key or "make one: python manage.py create_api_key demo --scopes all"
        lines += [f"    sign in    {secrets.admin_email}   {password}", f"  API key      {key}"]
    return lines


def _first_steps(url: str, key: str) -> list[str]:
    return [
        "Send an e-mail (paste this into another terminal):",
        "",
        demo_samples.submit_with_curl(demo_samples.FIRST.body, base_url=url, api_key=key),
        "",
        "Ask where it is, with the id of the answer in place of ID:",
        "",
        demo_samples.status_with_curl(base_url=url, api_key=key),
        "",
        f"The mail lies in the inbox of the start page, {url}/",
        "Sent again, the same request_id gets the same answer and no second mail; another request_id sends another.",
    ]
