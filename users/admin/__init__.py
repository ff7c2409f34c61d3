"""The pages of people, their blocked addresses, sign-ins, categories, roles and API keys."""

from users.admin import api_keys, audit, people, roles, sign_ins, suppressions

__all__ = ["api_keys", "audit", "people", "roles", "sign_ins", "suppressions"]
