"""What people write beside a decision about money: short, storable, never empty."""

from django.utils.translation import gettext_lazy as _

from refunds.errors import ReasonNeeded

LONGEST_NOTE = 500


def clean_note(note: str) -> str:
    """The note on one line. Raises ReasonNeeded where it is empty, too long, or nothing PostgreSQL stores."""
    words = " ".join(note.split())
    if not words:
        raise ReasonNeeded(_("Say why, for whoever reads the trail later."), field="note")
    if len(words) > LONGEST_NOTE or not is_storable(words):
        raise ReasonNeeded(_("Say it in at most 500 characters."), field="note")
    return words


def is_storable(words: str) -> bool:
    """PostgreSQL takes neither NUL nor half a surrogate pair, which JSON can carry."""
    return not any(sign == "\x00" or "\ud800" <= sign <= "\udfff" for sign in words)
