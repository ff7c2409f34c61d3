"""Staff pages of the templates: the list, and what holds for all versions of one. Its words have an editor."""

from templates_app.admin import templates

__all__ = ["templates"]
