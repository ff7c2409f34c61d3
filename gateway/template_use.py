"""What the ledger knows of templates: whether anything was sent with one. Named in the setting SENT_WITH_TEMPLATES."""

from gateway.models import Notification
from templates_app.models import Template, TemplateVersion


class NotificationsWithTemplates:
    """Implements `templates_app.usage.SentWithTemplates`."""

    def was_asked_for(self, template: Template) -> bool:
        """Whether any request was accepted with it. Tests out of the editor are none."""
        return Notification.objects.asked_for().filter(template=template).exists()

    def forget_tests(self, version: TemplateVersion) -> None:
        """Delete what was sent out of the editor to try this version, with all that belongs to it."""
        Notification.objects.tests().filter(template_version=version).delete()
