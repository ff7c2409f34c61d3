"""Files a shop sends along or uploads."""

import base64
from http import HTTPStatus

from gateway.models import StoredFile

UPLOADS = "/api/v1/attachments/"
CONTENT = b"%PDF-1.7 your invoice"
PNG = b"\x89PNG\r\n\x1a\n\x00"


def sent_along(given=CONTENT, /, **changes):
    """An entry of `attachments`; `...` takes a member out."""
    entry = {"filename": "invoice.pdf", "content_type": "application/pdf"} | {
        "content": base64.b64encode(given).decode()
    }
    return {name: value for name, value in (entry | changes).items() if value is not ...}


def upload(client, content=CONTENT, *, filename="invoice.pdf", content_type="application/pdf", **extra):
    """The answer to an upload."""
    path = f"{UPLOADS}?filename={filename}" if filename is not None else UPLOADS
    return client.generic("POST", path, content, content_type=content_type, **extra)


def uploaded(client, *content, **options):
    """What a good upload tells."""
    response = upload(client, *content, **options)
    assert response.status_code == HTTPStatus.CREATED, response.content
    return response.json()


def stored():
    """How many files there are."""
    return StoredFile.objects.count()
