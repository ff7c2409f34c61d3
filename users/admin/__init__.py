"""The pages of people, categories, roles and API keys."""

from users.admin import api_keys, audit, people, roles

__all__ = ["api_keys", "audit", "people", "roles"]
