"""The words of the page behind an unsubscribe link, in the languages people get their mails in."""

from dataclasses import dataclass

from users.channels import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One language; `{category}` and `{channel}` are filled in."""

    title: str
    is_on: str
    is_off: str
    unsubscribe: str
    resubscribe: str
    all_wishes: str
    everything: str
    always: str
    save: str
    saved: str
    channels: dict[str, str]
    direction: str = "ltr"


def _channels(email: str, push: str) -> dict[str, str]:
    return {Channel.EMAIL.value: email, Channel.PUSH.value: push}


WORDS = {
    "en": Words(
        title="Your messages",
        is_on="You get “{category}” by {channel}.",
        is_off="You no longer get “{category}” by {channel}.",
        unsubscribe="Unsubscribe",
        resubscribe="Subscribe again",
        all_wishes="All your choices",
        everything="Everything",
        always="always",
        save="Save",
        saved="Your choices are saved.",
        channels=_channels("e-mail", "push"),
    ),
    "de": Words(
        title="Ihre Nachrichten",
        is_on="Sie erhalten „{category}“ per {channel}.",
        is_off="Sie erhalten „{category}“ nicht mehr per {channel}.",
        unsubscribe="Abbestellen",
        resubscribe="Wieder bestellen",
        all_wishes="Alle Ihre Einstellungen",
        everything="Alles",
        always="immer",
        save="Speichern",
        saved="Ihre Einstellungen sind gespeichert.",
        channels=_channels("E-Mail", "Push"),
    ),
    "fr": Words(
        title="Vos messages",
        is_on="Vous recevez « {category} » par {channel}.",
        is_off="Vous ne recevez plus « {category} » par {channel}.",
        unsubscribe="Se désabonner",
        resubscribe="Se réabonner",
        all_wishes="Tous vos choix",
        everything="Tout",
        always="toujours",
        save="Enregistrer",
        saved="Vos choix sont enregistrés.",
        channels=_channels("e-mail", "push"),
    ),
    "es": Words(
        title="Sus mensajes",
        is_on="Recibe «{category}» por {channel}.",
        is_off="Ya no recibe «{category}» por {channel}.",
        unsubscribe="Darse de baja",
        resubscribe="Volver a suscribirse",
        all_wishes="Todas sus preferencias",
        everything="Todo",
        always="siempre",
        save="Guardar",
        saved="Sus preferencias se han guardado.",
        channels=_channels("correo electrónico", "push"),
    ),
    "ar": Words(
        title="رسائلك",
        is_on="تصلك رسائل «{category}» عبر {channel}.",
        is_off="لن تصلك رسائل «{category}» عبر {channel} بعد الآن.",
        unsubscribe="إلغاء الاشتراك",
        resubscribe="الاشتراك من جديد",
        all_wishes="جميع اختياراتك",
        everything="الكل",
        always="دائمًا",
        save="حفظ",
        saved="تم حفظ اختياراتك.",
        channels=_channels("البريد الإلكتروني", "الإشعارات"),
        direction="rtl",
    ),
}
DEFAULT = "en"


def language_of(locale: str) -> str:
    """The language of the page for a person's locale: `de` for `de-AT`; English where there are no words."""
    language = locale.partition("-")[0].lower()
    return language if language in WORDS else DEFAULT
