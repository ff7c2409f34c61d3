"""A push that its service would refuse for its size is not handed over."""

from gateway.channel_contract import Outcome, SendResult
from gateway.provider_answers import TOO_LARGE


def too_large(size: int, most: int, service: str) -> SendResult:
    """In bytes; nothing was handed over."""
    return SendResult(
        outcome=Outcome.PERMANENT,
        error_code=TOO_LARGE,
        detail=f"The push has {size:,} bytes and {service} takes {most:,}: shorten its text or its data.",
    )
