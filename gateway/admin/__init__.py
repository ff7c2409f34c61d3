"""Staff pages of the gateway: notifications and dead letters."""

from gateway.admin import dead_letters, notifications

__all__ = ["dead_letters", "notifications"]
