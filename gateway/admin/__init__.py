"""Staff pages of the gateway: notifications, dead letters, providers, callbacks."""

from gateway.admin import callbacks, dead_letters, notifications, providers

__all__ = ["callbacks", "dead_letters", "notifications", "providers"]
