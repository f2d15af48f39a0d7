"""What Vipps showed of a refund in review, for people who have to decide: whose each line of its event log is."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from hq.admin.showing import NOTHING, money
from hq.admin.verb_page import Table, Text
from refunds import evidence, snapshots, telling
from refunds.errors import LookFirst
from refunds.evidence import Evidence
from refunds.models import Ending, Kind, LookRequest, Refund, ReviewProposal
from refunds.snapshots import Snapshot
from stores.vipps.types import Event


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Where a review stands: the proposal that waits, and how the last question to Vipps went."""

    proposal: ReviewProposal | None
    look: LookRequest | None
    problem: str
    is_read: bool


def panel_of(refund: Refund) -> Panel:
    """For the refund's own page."""
    look = LookRequest.objects.filter(refund=refund, asked_at__gte=refund.moved_at).order_by("-asked_at").first()
    return Panel(
        proposal=open_proposal(refund),
        look=look,
        problem=telling.code_in_words(look.problem) if look and look.problem else "",
        is_read=snapshot_of(refund) is not None,
    )


def open_proposal(refund: Refund) -> ReviewProposal | None:
    """The proposal that waits for a second person."""
    proposals = ReviewProposal.objects.select_related("proposed_by", "payment", "log")
    return proposals.filter(refund=refund, verdict="").first()


def snapshot_of(refund: Refund) -> Snapshot | None:
    """What may be decided from now, or nothing: then Vipps has to be asked first."""
    try:
        return snapshots.latest(refund)
    except LookFirst:
        return None


def facts_of(refund: Refund, snapshot: Snapshot | None) -> list[tuple[Text, Text]]:
    """The lines above the form."""
    sums: list[tuple[Text, Text]] = []
    if snapshot is not None:
        shown = snapshot.reading.payment.aggregate
        sums = [
            (_("Captured, says Vipps"), money(shown.captured, shown.currency)),
            (_("Refunded in all, says Vipps"), money(shown.refunded, shown.currency)),
            (_("Event log read"), moment(snapshot.log.seen_at)),
        ]
        if refund.kind == Kind.RELEASE:
            sums.insert(0, (_("Released, says Vipps"), money(shown.cancelled, shown.currency)))
    return [
        (_("Amount"), money(refund.shown_minor, refund.currency)),
        (_("Order"), refund.order.reference),
        (_("Sold by"), str(refund.order.store)),
        (_("Taken back in"), str(refund.refunding_store)),
        (_("In review since"), moment(refund.moved_at)),
        (_("Why"), telling.code_in_words(refund.outcome) or NOTHING),
        *sums,
    ]


def counted_in(proposal: ReviewProposal, snapshot: Snapshot) -> list[tuple[Text, Text]]:
    """What confirming will count as refunded: what moved at Vipps, not what was asked for."""
    is_shown = evidence.signed(snapshot.evidence.events, snapshot.evidence.our_keys) or evidence.unsigned(snapshot.evidence)
    if proposal.ends_as != Ending.REFUNDED or not is_shown:
        return []
    return [(_("Counts as refunded"), money(evidence.found(snapshot.evidence).shown_minor, snapshot.evidence.currency))]


def table_of(refund: Refund, snapshot: Snapshot) -> Table:
    """Vipps' event log, oldest first, beside the form."""
    return Table(
        title=_("Vipps' event log"),
        headers=[_("When"), _("What"), _("Amount"), _("Whose"), _("Vipps' reference")],
        rows=[
            [
                moment(event.timestamp),
                event.name if event.success else _("%(what)s, failed") % {"what": event.name},
                money(event.amount.value, event.amount.currency),
                _whose(event, snapshot.evidence),
                event.psp_reference,
            ]
            for event in snapshot.evidence.events
        ],
    )


def moment(at: datetime) -> str:
    """A time as the reader's own clock shows it."""
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")


def _whose(event: Event, shown: Evidence) -> Text:
    if event.idempotency_key in shown.our_keys:
        return _("this refund's key")
    if event.name != evidence.REFUNDED:
        return NOTHING
    if event.psp_reference in shown.counted:
        return _("counted already")
    if event in evidence.unsigned(shown):
        return _("no key, but exactly this amount")
    return _("another's") if event.idempotency_key else _("no key")
