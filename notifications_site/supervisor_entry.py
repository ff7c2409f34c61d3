"""The entry for the supervisor: logging and supervision put together, without Django."""

from consumers.supervision import read_plan, supervise
from notifications_site.structured_logging import configure_logging


def main(descriptor: int) -> None:
    """Until told to stop. The plan lies in this open file."""
    plan = read_plan(descriptor)
    configure_logging(level=plan.log_level, log_format=plan.log_format)
    supervise(plan)
