"""How the API document describes our credentials. `urls.py` imports it, so that drf-spectacular knows of it."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from users.api_keys import SCOPES
from users.permissions import PERSON


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the library registers subclasses
    """A key as a bearer token; each operation names the scope it needs."""

    target_class = "users.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """The scheme, once for the whole document."""
        return {"type": "http", "scheme": "bearer", "description": "An API key: `ntf_live_…` or `ntf_test_…`."}

    def get_security_requirement(self, auto_schema: AutoSchema) -> Any:
        """What one operation needs; None where a key is of no use."""
        scopes: dict[str, str] = getattr(auto_schema.view, "required_scopes", {})
        scope = scopes.get(auto_schema.method)
        return None if scope == PERSON else {self.name: [scope] if scope in SCOPES else []}


class MetricsTokenScheme(ApiKeyScheme):  # type: ignore[no-untyped-call]
    """The same, or METRICS_TOKEN in its place."""

    target_class = "users.authentication.ApiKeyOrMetricsToken"
    name = "metricsToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """The scheme, once for the whole document."""
        return {"type": "http", "scheme": "bearer", "description": "`METRICS_TOKEN`, or an API key."}


class AccessTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """A person's token as a bearer token; what they may do follows from their roles."""

    target_class = "users.authentication.AccessTokenAuthentication"
    match_subclasses = True
    name = "accessToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """The scheme, once for the whole document."""
        words = "An access token of a person, from `/api/v1/auth/login/`. Their scopes follow from their roles."
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": words}

    def get_security_requirement(self, auto_schema: AutoSchema) -> Any:
        """The same scopes as for a key."""
        scope = getattr(auto_schema.view, "required_scopes", {}).get(auto_schema.method)
        return {self.name: [scope] if scope in SCOPES else []}
