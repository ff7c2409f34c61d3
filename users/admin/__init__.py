"""The pages of people, categories, roles, API keys, the audit log and failed sign-ins."""

from users.admin import api_keys, audit, people, roles, sign_ins

__all__ = ["api_keys", "audit", "people", "roles", "sign_ins"]
