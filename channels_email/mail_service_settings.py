"""What the settings say about mail services at this moment; values typed in the admin may change while we run."""

from channels_email.mail_services import MailService
from channels_email.webhook_keys import NEWS_FIELDS
from gateway.provider_settings import provider_setting


def values_of(service: MailService) -> dict[str, str]:
    """Its settings."""
    return {each.setting: str(provider_setting(each.setting) or "") for each in service.fields}


def missing_of(service: MailService) -> list[str]:
    """The settings it needs and does not have."""
    return [each.setting for each in service.fields if each.is_needed and not provider_setting(each.setting)]


def tells_news(service: MailService) -> bool:
    """Whether it says what became of a mail, and is let in with it."""
    return any(provider_setting(each.setting) for each in NEWS_FIELDS.get(service.name, ()))
