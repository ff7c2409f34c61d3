"""Template filters of the staff pages."""

from datetime import UTC, datetime

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString

from users.moments import age, clock

register = template.Library()


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """`14:32 (3 min ago)` in the reader's zone, the full moment in UTC as a tooltip; a dash for None."""
    if value is None:
        return "–"
    full = f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    markup = '<time class="nt-time" datetime="{}" title="{}">{} <span class="nt-subtle">({})</span></time>'
    return format_html(markup, value.isoformat(), full, clock(value), age(value))


@register.filter
def milliseconds(value: int | None) -> str:
    """`0.4 s`, `12 ms`."""
    if value is None:
        return ""
    if value == 0:
        return "<1 ms"
    return f"{value} ms" if value < 1000 else f"{value / 1000:.1f} s"


@register.simple_tag
def first_request(key: str = "") -> str:
    """The curl that sends a first notification; without a key it says where one goes."""
    return "\n".join(
        (
            f"curl -X POST {settings.PUBLIC_URL}/api/v1/notifications/ \\",
            f"  -H 'Authorization: Bearer {key or 'YOUR_API_KEY'}' \\",
            "  -H 'Content-Type: application/json' \\",
            """  -d '{"notification_type": "email", "user_id": "user-123", "template_code": "welcome_email",""",
            """       "variables": {"name": "Ann", "verification_link": "https://app.example.com/verify/abc123"}}'""",
        )
    )
