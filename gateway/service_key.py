"""The key by which a service knows us, as settings say it."""


def read_service_key(text: str) -> str:
    """A key as a service gives it out; empty for none. Raises ValueError, which repeats nothing of it.

    It travels in a header: what is copied with it unseen, such as a space of no width, would end every hand-over.
    """
    if not text.isascii() or (text and not text.isprintable()):
        raise ValueError("holds a character that no key has; copy it anew.")
    return text
