"""Where a service answers, as settings say it."""

from urllib.parse import urlsplit


def read_service_url(text: str) -> str:
    """The address of a service, without a slash at the end. Raises ValueError."""
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("an address such as https://api.example.com is needed.")
    return text.rstrip("/")
