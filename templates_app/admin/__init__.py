"""Staff pages of the templates: the list, a template with its versions, a version with its words."""

from templates_app.admin import templates, versions

__all__ = ["templates", "versions"]
