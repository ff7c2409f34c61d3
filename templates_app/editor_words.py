"""The words of the editor's scripts, in the reader's language."""

from django.utils.translation import gettext as _


def editor_words() -> dict[str, str]:
    """By the names under which the scripts ask for them."""
    return {
        "saved": _("Saved"),
        "saving": _("Saving…"),
        "unsaved": _("Not saved yet"),
        "failed": _("Not saved:"),
        "conflict": _("Somebody else has saved"),
        "merged": _("Saved together with changes of {who}"),
        "away": _("The server does not answer; what you typed is still here."),
        "draft": _("draft"),
        "published": _("live"),
        "retired": _("was live"),
        "live": _("live: v{n}"),
        "none_live": _("nothing live yet"),
        "not_begun": _("Not begun"),
        "nothing_yet": _("Nothing written yet"),
        "begins": _("Your first change begins a draft"),
        "complete": _("complete"),
        "missing": _("something is missing"),
        "older": _("older than the source"),
        "email": _("e-mail"),
        "push": _("push"),
        "html": _("HTML source"),
        "nothing_email": _("There is no e-mail in {language} yet."),
        "nothing_push": _("There is no push in {language} yet."),
        "remove": _("Remove {what}"),
        "no_locale": _("This is no language tag. Examples: de, pt-BR, zh-Hant."),
        "there_already": _("This language is there already."),
        "may_be_cut": _("Longer than most devices show; they cut the rest."),
        "errors": _("{n} to mend"),
        "no_errors": _("nothing to mend"),
        "variables": _("Variables"),
        "unused": _("used nowhere"),
        "declare": _("Declare {name}"),
        "test_sending": _("Sending…"),
        "test_shown": _("Open in captured messages"),
        "no_json": _("This is not JSON yet: names in quotes, a comma between."),
        "sample_needs_name": _("Give the set a name first."),
    }
