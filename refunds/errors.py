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
    """The customer's bank has taken the money back already; a refund would pay it twice."""

    code = "disputed_capture"

    def __init__(self, *, disputed_minor: int) -> None:
        super().__init__(
            _(
                "The customer’s bank has already taken money of this order back from us. A refund would pay the customer "
                "twice. Ask headquarters before you go on."
            ),
            disputed_minor=disputed_minor,
        )


class HeadquartersOnly(Forbidden):
    """A store's manager is not high enough: only headquarters knows how a dispute stands, and some limits are its own."""

    code = "headquarters_only"

    def __init__(self) -> None:
        super().__init__(_("Only headquarters can allow this refund. You may say no to it."))


class ApprovalVoid(Conflict):
    """It was meant for something else."""

    code = "approval_void"

    def __init__(self) -> None:
        super().__init__(_("This is not what you were shown: look at order, amount and reason again before you allow it."))


class AskerGone(Conflict):
    """Whoever asked may not ask any more."""

    code = "asker_gone"

    def __init__(self) -> None:
        super().__init__(_("Whoever asked for this may not ask for refunds here any more. Take it back, and ask for it anew."))


class ReasonNeeded(Invalid):
    """No reason, or "other" without words."""

    code = "reason_needed"


class NotWaiting(Conflict):
    """Somebody else was first, or it has already been sent."""

    code = "not_waiting"

    def __init__(self) -> None:
        super().__init__(_("This refund no longer waits for that: look at its state."))


class NothingToHandOver(Conflict):
    """It came to nothing, so there is no paper that could be taken for a receipt."""

    code = "nothing_to_hand_over"

    def __init__(self) -> None:
        super().__init__(_("Nothing was refunded, so there is no receipt to hand over."))


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


class NotInReview(Conflict):
    """It has ended, or never was with headquarters."""

    code = "not_in_review"

    def __init__(self) -> None:
        super().__init__(_("This refund is not in review: look at its state."))


class Involved(Forbidden):
    """Who asked for it or approved it is a party to it."""

    code = "involved"

    def __init__(self) -> None:
        super().__init__(_("You asked for this refund or approved it: two others have to settle it."))


class SecondPersonNeeded(Forbidden):
    """Two people, always, whatever their rights."""

    code = "second_person_needed"

    def __init__(self) -> None:
        super().__init__(_("You proposed this yourself: another person has to decide it."))


class NoProposal(Conflict):
    """Nobody proposed anything, or somebody decided it already."""

    code = "no_proposal"

    def __init__(self) -> None:
        super().__init__(_("No proposal waits here: it was decided or withdrawn, or nobody has made one."))


class ProposalOpen(Conflict):
    """One at a time."""

    code = "proposal_open"

    def __init__(self) -> None:
        super().__init__(_("A proposal waits already: confirm or reject it first."))


class ProposerMayNot(Conflict):
    """Both of the two need the right at the end."""

    code = "proposer_may_not"

    def __init__(self) -> None:
        super().__init__(_("Whoever proposed this may no longer do so: reject it and propose it anew."))


class LookFirst(Conflict):
    """There is nothing to decide from yet."""

    code = "look_first"

    def __init__(self) -> None:
        super().__init__(_("Ask Vipps first: its event log was not read since the refund came into review, or not lately."))


class EvidenceChanged(Conflict):
    """What the proposal rests on is no longer what Vipps shows."""

    code = "evidence_changed"

    def __init__(self) -> None:
        super().__init__(_("Vipps shows something else than when this was proposed: reject it and propose it anew."))


class Contradicted(Conflict):
    """Vipps' log says otherwise; `code` says how."""


class NotHeld(Conflict):
    """There is no hold to lift, or a refund in review has to be settled first."""

    code = "not_held"


class PolicyChanged(Conflict):
    """Its author wrote it anew while somebody read it."""

    code = "policy_changed"

    def __init__(self) -> None:
        super().__init__(_("The draft was changed after you opened it: read it again before you decide."))


class NoteNotFound(NotFound):
    """Absent and another store's look the same."""

    def __init__(self) -> None:
        super().__init__(_("There is no such note in this store."))


class OwnNote(Forbidden):
    """Whoever hands over is not who takes over."""

    code = "own_note"

    def __init__(self) -> None:
        super().__init__(_("You left this note yourself: the next person takes over."))
