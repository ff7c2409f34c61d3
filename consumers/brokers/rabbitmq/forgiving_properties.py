"""Headers that cannot be read must not cost the connection.

Some headers that RabbitMQ carries make pika's decoder raise: a timestamp beyond the year 9999, tables a thousand deep.
The exception ends the connection, the message comes again on the next one, and so on, taking its neighbours along. We
read nothing but the body, so such a message is taken as one without properties.
"""

from typing import Any

import structlog
from pika import spec

log = structlog.stdlib.get_logger(__name__)


class ForgivingProperties(spec.BasicProperties):  # type: ignore[misc]  # pika has no types
    """pika's own, empty where it fails."""

    def decode(self, encoded: bytes, offset: int = 0) -> Any:
        """The properties in `encoded`, or none of them."""
        try:
            return super().decode(encoded, offset)
        except Exception as error:  # noqa: BLE001  overflow, recursion, struct.error: whatever strangers bring about
            log.warning("A message has unreadable headers.", action="forged_headers", detail=type(error).__name__)
            self.__init__()  # type: ignore[misc]  # what was read so far is worth nothing
            return self


def forgive_forged_headers() -> None:
    """From now on pika decodes the properties of what it receives this way. Repeatable."""
    spec.props[spec.BasicProperties.INDEX] = ForgivingProperties
