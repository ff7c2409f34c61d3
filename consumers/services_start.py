"""What comes before the supervisor of `run_services`: the set of docker-compose.yml, on servers that are there."""

from collections.abc import Callable, Sequence

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection

from consumers.brokers import choice
from consumers.loop_command import broker_address, database_address
from consumers.platform_start import ENDING, CannotStart, Say, addresses, alone, keep_alive, prepare, require_ports
from consumers.service_roles import ServiceRole, service_roles
from gateway.demo_data import DemoSecrets


def run_services(say: Say, *, check: Callable[[], None]) -> None:
    """Prepare, then become the supervisor of one process per service. Raises `CannotStart`."""
    if connection.vendor != "postgresql":
        raise CannotStart("Separate services need PostgreSQL: set DATABASE_URL, or start everything with `make run`.")
    roles = service_roles(with_relay=choice.uses_rabbitmq())
    with alone() as before:
        require_ports(roles, command="make run-services", patiently=before is not None)
        check()
        make_database(say)
        secrets = prepare(say)
        words = what_runs_where(roles, secrets)
        keep_alive(roles, say, command="run_services", ready_ports=answering(roles), welcome=words)


def make_database(say: Say) -> None:
    """Only where there is none of this name. Raises `CannotStart` when the server does not answer."""
    name = connection.settings_dict["NAME"]
    # The driver itself: Django's connection is to the database that may not be there yet.
    login = connection.get_connection_params() | {"dbname": "postgres", "autocommit": True}
    try:
        with connection.wrap_database_errors, connection.Database.connect(**login) as server:  # type: ignore[attr-defined]
            if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                say(f"Making the database {name} …")
                server.execute(f"CREATE DATABASE {connection.ops.quote_name(name)}")
    except DatabaseTrouble as error:
        trouble = str(error).partition("\n")[0]
        raise CannotStart(f"PostgreSQL does not answer at {database_address()}: {trouble}") from error


def answering(roles: Sequence[ServiceRole]) -> list[int]:
    """The ports at which something answers /health."""
    return [port for role in roles if (port := role.port(settings.PORT)) is not None]


def what_runs_where(roles: Sequence[ServiceRole], secrets: DemoSecrets | None) -> str:
    """A line per process, the servers, and how to get in."""
    lines = ["", "The services are running.", ""]
    for role in roles:
        port = role.port(settings.PORT)
        lines.append(
            f"  {role.name:<15} " + (f"http://127.0.0.1:{port}/health" if port else "in the admin: Live services")
        )
    lines += ["", f"  database        {database_address()}", f"  broker          {broker_address()}", ""]
    lines += [*addresses(secrets), "", ENDING.format(where=database_address()), ""]
    return "\n".join(lines)
