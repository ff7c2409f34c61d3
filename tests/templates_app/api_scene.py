"""An editor and a publisher who call the API of templates."""

import json

from tests.gateway.api_scene import client_with_key

TEMPLATES = "/api/v1/templates/"
NAME = {"name": "name", "type": "string", "required": True, "example": "Ann"}
MAIL = {"subject": "On its way, {{ name }}", "html": "<p>Hi {{ name }}</p>"}
#: The example of the API document.
SHIPPED = {
    "code": "order_shipped",
    "name": "Order shipped",
    "category": "updates",
    "default_locale": "en",
    "publish": True,
    "variables": [NAME],
    "contents": {"en": {"email": MAIL}},
}


def reader():
    return client_with_key("templates:read", client="reader")


def editor():
    return client_with_key("templates:write", client="editor")


def publisher():
    return client_with_key("templates:publish", client="publisher")


def send(client, method, path, body=None, **headers):
    raw = b"" if body is None else json.dumps(body).encode()
    return client.generic(method, path, raw, content_type="application/json", headers=headers or None)


def create(client, **changes):
    """`...` takes a member out."""
    body = {name: value for name, value in (SHIPPED | changes).items() if value is not ...}
    return send(client, "POST", TEMPLATES, body)


def path_of(code="order_shipped", rest=""):
    return f"{TEMPLATES}{code}/{rest}"


def version_path(number, rest="", code="order_shipped"):
    return path_of(code, f"versions/{number}/{rest}")
