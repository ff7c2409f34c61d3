"""How the API document describes our credentials. `urls.py` imports it, so that drf-spectacular knows of it."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the library registers subclasses
    """A key as a bearer token; each operation names the scope it needs."""

    target_class = "users.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """The scheme, once for the whole document."""
        return {"type": "http", "scheme": "bearer", "description": "An API key: `ntf_live_…` or `ntf_test_…`."}

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[str]]:
        """What one operation needs."""
        scopes: dict[str, str] = getattr(auto_schema.view, "required_scopes", {})
        scope = scopes.get(auto_schema.method)
        return {self.name: [scope] if scope else []}
