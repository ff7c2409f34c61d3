"""Where a service answers, as settings say it."""

from urllib.parse import urlsplit


def read_service_url(text: str) -> str:
    """The address of a service, without a slash at the end. Raises ValueError."""
    try:
        parts = urlsplit(text)
        is_readable = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_readable = False
    if not is_readable or parts.query or parts.fragment or "@" in parts.netloc or not text.isprintable():
        raise ValueError("an address such as https://api.example.com is needed.")
    return text.rstrip("/")
