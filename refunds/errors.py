"""Every refusal of the refund path: a stable code and a sentence a cashier can act on."""

from django.utils.translation import gettext_lazy as _

from stores.errors import Conflict, Forbidden, HubError, Invalid, NotFound


class RefundNotFound(NotFound):
    """Absent and somebody else's look the same."""

    def __init__(self) -> None:
        super().__init__(_("There is no such refund, or it is not yours to see."))


class Denied(Conflict):
    """Policy says no; `code` says which rule."""


class KeyReused(HubError):
    """The request key belongs to another wish."""

    code = "key_reused"
    status = 422

    def __init__(self) -> None:
        super().__init__(
            _("This request key was already used for another refund. Start the refund again from the order.")
        )


class PossibleDuplicate(Conflict):
    """The same amount of the same order, minutes ago."""

    code = "possible_duplicate"


class DisputedCapture(Conflict):
    """The customer's bank has taken the money back already."""

    code = "disputed_capture"


class ReasonNeeded(Invalid):
    """No reason, or "other" without words."""

    code = "reason_needed"


class NotWaiting(Conflict):
    """Somebody else was first, or it has already been sent."""

    code = "not_waiting"

    def __init__(self) -> None:
        super().__init__(_("This refund no longer waits for that: look at its state."))


class OwnRefund(Forbidden):
    """Two people, always."""

    code = "own_refund"

    def __init__(self) -> None:
        super().__init__(_("Nobody approves a refund she asked for herself: another person has to."))


class NoteNeeded(Invalid):
    """Whoever closes a matter says why."""

    code = "note_needed"

    def __init__(self) -> None:
        super().__init__(_("Say in at most 300 characters what it was."), field="note")
