"""The path above a page of the admin, in the words of the sidebar."""

from collections.abc import Sequence
from typing import Any

from django import template

register = template.Library()


@register.simple_tag
def page_path(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The theme's parts (app, list, object); app and list as the sidebar calls them, where it knows the list."""
    # Tags are loaded before there is an admin site.
    from notifications_site.admin_site import places  # noqa: PLC0415

    place = places().get(str(parts[1].get("link"))) if len(parts) > 1 else None
    if place is None:
        return list(parts)
    group, title = place
    return [{"title": group}, parts[1] | {"title": title}, *parts[2:]]
