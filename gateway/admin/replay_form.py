"""What an operator fills in before dead letters get another life, or none."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from users.staff_pages import ReasonForm

#: More than that is confirmed by a typed word.
MANY = 1_000


class TypedForm(ReasonForm):
    """A reason, and for very many a word that nobody types by chance."""

    #: The word.
    typed_word = ""

    def __init__(self, data: Any = None, *, count: int) -> None:
        super().__init__(data)
        if count > MANY:
            self.fields["typed"] = forms.CharField(
                label=_("These are {count}. Type “{word}” to go on.").format(count=count, word=self.typed_word),
                widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
            )

    def clean_typed(self) -> str:
        """Capitals do not matter."""
        typed: str = self.cleaned_data["typed"]
        if typed.strip().lower() != self.typed_word:
            raise forms.ValidationError(_("Type “{word}”, or go back.").format(word=self.typed_word))
        return typed


class DiscardForm(TypedForm):
    """Before the end of many."""

    typed_word = "discard"


class ReplayForm(TypedForm):
    """Before another life; what may have gone out is included only when the operator says so."""

    typed_word = "replay"

    def __init__(self, data: Any = None, *, count: int, doubtful: int) -> None:
        super().__init__(data, count=count + doubtful)
        if doubtful:
            words = ngettext("Also {n} that may have gone out", "Also {n} that may have gone out", doubtful)
            self.fields["include_doubtful"] = forms.BooleanField(
                label=words.format(n=doubtful),
                help_text=gettext_lazy("The provider's answer is missing: the person may get it twice."),
                # Where there is nothing else to replay, it is the question itself.
                required=count == 0,
                widget=UnfoldBooleanWidget(),
            )

    @property
    def includes_doubtful(self) -> bool:
        """Whether the operator wants them too."""
        return bool(self.cleaned_data.get("include_doubtful"))
