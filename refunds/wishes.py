"""What every wish must bring along: a reason and a key."""

from django.utils.translation import gettext_lazy as _

from refunds.errors import ReasonNeeded
from refunds.models.policy import REASON_CODE
from refunds.notes import is_storable
from refunds.rulebooks import ReasonChoice, Rulebook
from stores.errors import Invalid

LONGEST_REASON = 200
_CHOOSE = _("Choose why the money is given back.")


def clean_words(reason: str, reason_text: str) -> str:
    """The words beside a reason, on one line. Raises ReasonNeeded, and for what can be no reason's code."""
    words = " ".join(reason_text.split())
    if not REASON_CODE.fullmatch(reason):
        raise ReasonNeeded(_CHOOSE, field="reason")
    if len(words) > LONGEST_REASON or not is_storable(words):
        raise ReasonNeeded(_("Say it in at most 200 characters."), field="reason_text")
    return words


def check_reason(code: str, words: str, *, book: Rulebook) -> ReasonChoice:
    """The reason of that code in the rulebook in force. Raises ReasonNeeded: there is none, or it must be explained."""
    reason = book.reason(code)
    if reason is None:
        raise ReasonNeeded(_CHOOSE, field="reason")
    if reason.needs_words and not words:
        raise ReasonNeeded(_("Say in a few words what the reason is."), field="reason_text")
    return reason


def check_request_key(request_key: str) -> None:
    """Raises Invalid for a key that is not 1 to 100 visible ASCII characters."""
    if not (1 <= len(request_key) <= 100 and request_key.isascii() and request_key.isprintable()):
        raise Invalid(
            _("The request key must be 1 to 100 visible ASCII characters."), code="invalid_key", field="Idempotency-Key"
        )
