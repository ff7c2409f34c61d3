"""Staff pages: the templates and what holds for all versions of one (its words have an editor), and the layouts."""

from templates_app.admin import layouts, templates

__all__ = ["layouts", "templates"]
