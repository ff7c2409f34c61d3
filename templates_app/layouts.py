"""The frame around an e-mail's HTML, so that preview and mail are the same."""

from templates_app.models import Layout, TemplateContent

#: Where a frame takes in the mail's own words.
SLOT = "{{ content }}"


def current_layout(code: str) -> Layout | None:
    """The newest version of a layout; None when there is none of this code, which means no frame."""
    return Layout.objects.filter(code=code).order_by("-number").first()


def compile_content(content: TemplateContent, layout: Layout | None) -> None:
    """Set what of a mail's content is sent, where that is not what was written: the words within their frame.

    Sets the fields; whoever wants them kept saves the content.
    """
    content.compiled_html = layout.html.replace(SLOT, content.html, 1) if layout and content.html else ""
    content.compiled_text = layout.text.replace(SLOT, content.text, 1) if layout and content.text else ""
