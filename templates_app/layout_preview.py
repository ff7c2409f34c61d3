"""How a mail of sample words looks in a layout, stored or not."""

from typing import cast

from templates_app.live_preview import Problem, render_content
from templates_app.locales import is_right_to_left
from templates_app.models import Layout, TemplateContent
from templates_app.rendering import RenderedEmail
from templates_app.safe_engine import TemplateSyntaxProblem, referenced_variables
from templates_app.sample_data import example_values
from templates_app.variables import parse_variables
from users.channels import Channel

#: What the frames fill in themselves.
FILLED_IN = frozenset({"content", "header", "footer", "title", "locale", "direction", "start", "end"})
#: Subject, HTML.
LEFT_TO_RIGHT = (
    "Your parcel is on its way",
    "<h1>Your parcel is on its way</h1>\n<p>Hello Ann, it left this morning and will be with you on Friday.</p>\n"
    '<p><a href="https://example.com/parcel">Follow your parcel</a></p>\n'
    "<!-- block: footer -->\n<p>You get this mail because you ordered something.</p>",
)
RIGHT_TO_LEFT = (
    "طردك في الطريق",
    "<h1>طردك في الطريق</h1>\n<p>مرحبا ليلى، سلّمنا طردك هذا الصباح. سيصل إليك يوم الجمعة.</p>\n"
    '<p><a href="https://example.com/parcel">تتبّع طردك</a></p>\n'
    "<!-- block: footer -->\n<p>وصلتك هذه الرسالة لأنك طلبت شيئا.</p>",
)


def sample_mail(layout: Layout, locale: str) -> RenderedEmail | Problem:
    """The sample mail; variables of the layout stand for themselves."""
    subject, html = RIGHT_TO_LEFT if is_right_to_left(locale) else LEFT_TO_RIGHT
    content = TemplateContent(locale=locale, channel=Channel.EMAIL, subject=subject, html=html)
    try:
        names = (referenced_variables(layout.html) | referenced_variables(layout.text)) - FILLED_IN
    except TemplateSyntaxProblem as problem:
        return Problem(where="layout", message=problem.message, line=problem.line)
    variables = parse_variables([{"name": name, "type": "string"} for name in sorted(names)])
    # A mail never becomes a push.
    return cast(RenderedEmail | Problem, render_content(content, variables, example_values(variables), layout))
