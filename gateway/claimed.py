"""A notification in the hands of a consumer: what delivery needs of its row, and no more.

A consumer claims thousands a minute. An instance of the model, with all columns and Django's memory of them, costs five
times as much as this.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(slots=True)
class Claimed:
    """The columns by their names in `gateway.models.Notification`, as they were claimed."""

    id: UUID
    user_id: UUID
    channel: str
    category_code: str
    template_version_id: UUID
    locale: str
    variables: dict[str, Any]
    attachment_count: int
    priority: int
    correlation_id: str
    is_simulated: bool
    created_at: datetime
    send_at: datetime | None
    expires_at: datetime
    status: str
    reason: str
    reason_data: dict[str, str]
    provider: str
    attempt_count: int
    tries_used: int
    crash_count: int
    claim_token: UUID | None

    @property
    def pk(self) -> UUID:
        """As of the model."""
        return self.id

    @property
    def message_id(self) -> str:
        """As of the model."""
        return f"n-{self.id}"


#: What is read of a row, in the order in which `Claimed` takes it.
COLUMNS = tuple(each.name for each in fields(Claimed))
