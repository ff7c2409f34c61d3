"""The pages of people, categories, roles and API keys."""

from users.admin import api_keys, people, roles

__all__ = ["api_keys", "people", "roles"]
