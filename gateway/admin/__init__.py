"""Staff pages of the gateway: notifications, dead letters, providers."""

from gateway.admin import dead_letters, notifications, providers

__all__ = ["dead_letters", "notifications", "providers"]
