"""What every wish must bring along: a reason and a key."""

from django.utils.translation import gettext_lazy as _

from refunds.errors import ReasonNeeded
from refunds.models import Reason
from refunds.notes import is_storable
from stores.errors import Invalid

LONGEST_REASON = 200


def read_reason(reason: str, reason_text: str) -> tuple[Reason, str]:
    """The reason, and its words on one line. Raises ReasonNeeded."""
    words = " ".join(reason_text.split())
    if reason not in Reason.values:
        raise ReasonNeeded(_("Choose why the money is given back."), field="reason")
    if reason == Reason.OTHER and not words:
        raise ReasonNeeded(_("Say in a few words what the reason is."), field="reason_text")
    if len(words) > LONGEST_REASON or not is_storable(words):
        raise ReasonNeeded(_("Say it in at most 200 characters."), field="reason_text")
    return Reason(reason), words


def check_request_key(request_key: str) -> None:
    """Raises Invalid for a key that is not 1 to 100 visible ASCII characters."""
    if not (1 <= len(request_key) <= 100 and request_key.isascii() and request_key.isprintable()):
        raise Invalid(
            _("The request key must be 1 to 100 visible ASCII characters."), code="invalid_key", field="Idempotency-Key"
        )
