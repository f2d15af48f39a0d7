"""What the trail can say about refunds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from refunds import telling
from stores.events import TrailEvent


@dataclass(frozen=True, kw_only=True)
class RefundMoved(TrailEvent):
    """A move of the state machine: every change of state writes exactly one of these (I8)."""

    name = "refund.moved"
    sentence = _("Refund {refund} of {amount} went from {before} to {after} ({move}): {because}")
    refund: str
    move: str
    before: str
    after: str
    amount: str
    amount_minor: int
    currency: str
    because: str
    attempt: int
    provider_code: str
    trace_id: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        words = {
            "before": telling.choice_in_words("state", facts["before"]),
            "after": telling.choice_in_words("state", facts["after"]),
            "amount": telling.amount_in_words(facts),
        }
        if facts["move"] not in ("T2r", "R2r"):  # there it is what a person wrote
            words["because"] = telling.because_in_words(facts["because"])
        return {**facts, **words}


@dataclass(frozen=True, kw_only=True)
class ReleaseMoved(RefundMoved):
    """A move of a release's own table."""

    name = "release.moved"
    sentence = _("Release {refund} of {amount} went from {before} to {after} ({move}): {because}")


@dataclass(frozen=True, kw_only=True)
class RefundAccepted(TrailEvent):
    """The first entry of a refund: who asked for what, and why; the policy that judged it, and which of its rules it broke."""

    name = "refund.accepted"
    sentence = _("Refund {refund} of {amount} was accepted for order {reference}, taken back in {refunding}: {reason}")
    refund: str
    reference: str
    amount: str
    amount_minor: int
    currency: str
    refunding: str
    reason: str
    state: str
    reason_label: str = ""
    policy: int = 0
    needs_approval_of: str = ""
    breaches: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        code, colon, words = facts["reason"].partition(":")
        label = telling.choice_in_words("reason", code)
        reason = (facts.get("reason_label") or code if label == code else label) + colon + words
        return {**facts, "amount": telling.amount_in_words(facts), "reason": reason}


@dataclass(frozen=True, kw_only=True)
class ReleaseAccepted(RefundAccepted):
    """The first entry of a release: who wants a reservation let go, and why."""

    name = "release.accepted"
    sentence = _("Release {refund} of {amount}, reserved for order {reference}, was accepted in {refunding}: {reason}")


@dataclass(frozen=True, kw_only=True)
class RefundIntended(TrailEvent):
    """The intent to call Vipps, committed before the call."""

    name = "refund.intended"
    sentence = _("Refund {refund}: attempt {attempt} as sales unit {msn} with key set {key_set} v{key_version}.")
    refund: str
    attempt: int
    generation: int
    provider_key: str
    msn: str
    key_set: str
    key_version: int


@dataclass(frozen=True, kw_only=True)
class OutsideRefundSeen(TrailEvent):
    """Vipps has refunded money that this hub did not move."""

    name = "refund.outside_seen"
    sentence = _("{amount} of order {reference} was refunded outside the hub (Vipps' reference {psp_reference}).")
    reference: str
    amount: str
    amount_minor: int
    psp_reference: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "amount": telling.amount_in_words(facts)}


@dataclass(frozen=True, kw_only=True)
class OrderConfirmed(TrailEvent):
    """Vipps' own figure for an order was read and differs from what was known."""

    name = "order.confirmed"
    sentence = _("Vipps confirmed {captured_minor} captured for order {reference} (before: {before_minor}).")
    reference: str
    captured_minor: int
    before_minor: int | None

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, **{name: telling.number_in_words(facts[name]) for name in ("captured_minor", "before_minor")}}


@dataclass(frozen=True, kw_only=True)
class OrderHeld(TrailEvent):
    """No refund of this order is accepted or sent until two people settle the one in review."""

    name = "order.held"
    sentence = _("Order {reference} was put on hold: {because}")
    reference: str
    because: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "because": telling.because_in_words(facts["because"])}


@dataclass(frozen=True, kw_only=True)
class OrderReleased(TrailEvent):
    """The hold of an order is gone."""

    name = "order.released"
    sentence = _("Order {reference} is no longer on hold: {because}")
    reference: str
    because: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "because": telling.because_in_words(facts["because"])}


@dataclass(frozen=True, kw_only=True)
class VippsAskedAgain(TrailEvent):
    """Somebody at headquarters wants to know what Vipps shows now."""

    name = "review.vipps_asked"
    sentence = _("Vipps is asked again about refund {refund}.")
    refund: str


@dataclass(frozen=True, kw_only=True)
class ReviewEndProposed(TrailEvent):
    """The first of two people says how a refund in review ended. `log` is the digest of the event log it rests on."""

    name = "review.end_proposed"
    sentence = _("Proposed that refund {refund} ends as {ends_as}: {note} (event log {log})")
    refund: str
    ends_as: str
    note: str
    log: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, **telling.proposal_in_words(facts)}


@dataclass(frozen=True, kw_only=True)
class ReviewEndDecided(TrailEvent):
    """The second of two people confirmed or rejected, or the first took it back."""

    name = "review.end_decided"
    sentence = _("The proposal of {proposed_by} that refund {refund} ends as {ends_as} was {verdict}. {note}")
    refund: str
    ends_as: str
    verdict: str
    proposed_by: str
    note: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, **telling.proposal_in_words(facts)}


@dataclass(frozen=True, kw_only=True)
class HoldLiftProposed(TrailEvent):
    """The first of two people says that an order may be refunded again."""

    name = "hold.lift_proposed"
    sentence = _("Proposed to lift the hold of order {reference} ({hold_reason}): {note}")
    reference: str
    hold_reason: str
    note: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "hold_reason": telling.because_in_words(facts["hold_reason"])}


@dataclass(frozen=True, kw_only=True)
class HoldLiftDecided(TrailEvent):
    """The second of two people confirmed or rejected, or the first took it back."""

    name = "hold.lift_decided"
    sentence = _("The proposal of {proposed_by} to lift the hold of order {reference} was {verdict}. {note}")
    reference: str
    verdict: str
    proposed_by: str
    note: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, **telling.proposal_in_words(facts)}


@dataclass(frozen=True, kw_only=True)
class KeyReused(TrailEvent):
    """A request key came again with another body and was refused."""

    name = "refund.key_reused"
    sentence = _("The request key of refund {refund} came again with another wish; it was refused.")
    refund: str


@dataclass(frozen=True, kw_only=True)
class PaperHandedOver(TrailEvent):
    """The first print of a receipt, or of the confirmation of a release or a request."""

    name = "paper.handed_over"
    sentence = _("Refund {refund}: {paper} {number} was handed over ({form}).")
    refund: str
    paper: str
    number: str
    form: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "paper": telling.choice_in_words("kind", facts["paper"], model="Paper")}


@dataclass(frozen=True, kw_only=True)
class PaperCopied(PaperHandedOver):
    """A later print of the same paper; it says that it is a copy."""

    name = "paper.copied"
    sentence = _("Refund {refund}: copy {copy} of {paper} {number} was handed over ({form}).")
    copy: int


class _AboutPause(TrailEvent):
    """What the entries about a pause share: what it reaches, in words."""

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        scope = telling.choice_in_words("scope", facts["scope"], model="Pause")
        return {**facts, "what": f"{scope}: {facts['subject']}" if facts["subject"] else scope}


@dataclass(frozen=True, kw_only=True)
class RefundsPaused(_AboutPause):
    """Headquarters pulled the brake."""

    name = "refunds.paused"
    sentence = _("Refunds were paused ({what}): {reason}")
    scope: str
    subject: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class RefundsResumed(_AboutPause):
    """What waited goes on."""

    name = "refunds.resumed"
    sentence = _("Refunds go on ({what}): {reason}")
    scope: str
    subject: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class BreakerOpened(TrailEvent):
    """Too many failures in a row: what is behind it is left alone."""

    name = "breaker.opened"
    sentence = _("After {failures} failures in a row {subject} is left alone: {problem}")
    subject: str
    failures: int
    problem: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "problem": telling.because_in_words(facts["problem"])}


@dataclass(frozen=True, kw_only=True)
class BreakerClosed(TrailEvent):
    """It answers again, its keys changed, or headquarters says so."""

    name = "breaker.closed"
    sentence = _("{subject} is asked again: {because}")
    subject: str
    because: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "because": telling.because_in_words(facts["because"])}


@dataclass(frozen=True, kw_only=True)
class RestoreDeclared(TrailEvent):
    """The database was restored: nothing is sent until its orders were read at Vipps."""

    name = "restore.declared"
    sentence = _("The database was restored to {restored_to}; {orders} orders are read before anything is sent: {reason}")
    restored_to: str
    orders: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class RestoreEnded(TrailEvent):
    """Its orders were read and the quiet time is over."""

    name = "restore.ended"
    sentence = _("The restore to {restored_to} is checked: {read} orders were read, {held} put on hold unread.")
    restored_to: str
    read: int
    held: int


@dataclass(frozen=True, kw_only=True)
class EndpointAdded(TrailEvent):
    """From now on somebody outside hears of the store's refunds."""

    name = "webhook_endpoint.added"
    sentence = _("{system} is told of refunds at {url}.")
    system: str
    url: str


@dataclass(frozen=True, kw_only=True)
class EndpointEnded(TrailEvent):
    """Nothing more is sent there, not even what still waits."""

    name = "webhook_endpoint.ended"
    sentence = _("{system} is no longer told of refunds at {url}: {reason}")
    system: str
    url: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class DeliveryRequeued(TrailEvent):
    """A message that had been given up is tried again."""

    name = "delivery.requeued"
    sentence = _("The message {event} of refund {refund} is sent to {system} again.")
    event: str
    refund: str
    system: str


@dataclass(frozen=True, kw_only=True)
class OrderCheckAsked(TrailEvent):
    """Headquarters wants an order compared now."""

    name = "order.check_asked"
    sentence = _("Order {reference} is to be compared with Vipps.")
    reference: str


class _AboutDifference(TrailEvent):
    """What the entries about a difference share: its kind in words."""

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "kind": telling.choice_in_words("kind", facts["kind"], model="Difference")}


@dataclass(frozen=True, kw_only=True)
class DifferenceOpened(_AboutDifference):
    """The books do not agree about an order; sides in minor units, null where not compared."""

    name = "difference.opened"
    sentence = _(
        "Order {reference}: {kind} (hub {hub_minor}, event log {events_minor}, "
        "sum {payment_minor}, settlement {settled_minor})."
    )
    reference: str
    kind: str
    currency: str
    hub_minor: int | None
    events_minor: int | None
    payment_minor: int | None
    settled_minor: int | None

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        sides = ("hub_minor", "events_minor", "payment_minor", "settled_minor")
        return {**super().shown(facts), **{name: telling.number_in_words(facts[name]) for name in sides}}


@dataclass(frozen=True, kw_only=True)
class DifferenceGone(_AboutDifference):
    """A later look found the books in agreement."""

    name = "difference.gone"
    sentence = _("Order {reference}: no longer so at a later look: {kind}.")
    reference: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class DifferenceAssigned(_AboutDifference):
    """Somebody at headquarters has made it hers."""

    name = "difference.assigned"
    sentence = _("Order {reference}: {owner} looks into it: {kind}.")
    reference: str
    kind: str
    owner: str


@dataclass(frozen=True, kw_only=True)
class DifferenceExplained(_AboutDifference):
    """A person closed it and said why."""

    name = "difference.explained"
    sentence = _("Order {reference}: {kind}; explained: {note}")
    reference: str
    kind: str
    note: str


@dataclass(frozen=True, kw_only=True)
class OutsideRefundAcknowledged(TrailEvent):
    """A person has found out whose refund it was."""

    name = "refund.outside_acknowledged"
    sentence = _("The refund of {amount} of order {reference} outside the hub ({psp_reference}) was seen to: {note}")
    reference: str
    amount: str
    amount_minor: int
    psp_reference: str
    note: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "amount": telling.amount_in_words(facts)}


@dataclass(frozen=True, kw_only=True)
class PolicyDrafted(TrailEvent):
    """The first of two people wrote a version of the limits, or wrote it anew. `digest` is of all that it says."""

    name = "policy.drafted"
    sentence = _("Policy {policy} was drafted, to hold from {in_force_from}: {note}")
    policy: int
    in_force_from: str
    note: str
    digest: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "in_force_from": telling.moment_in_words(facts["in_force_from"])}


@dataclass(frozen=True, kw_only=True)
class PolicyDecided(TrailEvent):
    """The second of two people put it into force or rejected it, or its author took it back; with all that it says."""

    name = "policy.decided"
    sentence = _("Policy {policy} of {proposed_by}, to hold from {in_force_from}, was {verdict}. {note}")
    policy: int
    verdict: str
    proposed_by: str
    in_force_from: str
    note: str
    digest: str
    rules: list[dict[str, Any]]
    reasons: list[dict[str, Any]]

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        verdict = telling.choice_in_words("verdict", facts["verdict"], model="PolicyVersion")
        return {**facts, "verdict": verdict, "in_force_from": telling.moment_in_words(facts["in_force_from"])}


REFUND_EVENTS: tuple[type[TrailEvent], ...] = (
    RefundAccepted,
    RefundMoved,
    ReleaseAccepted,
    ReleaseMoved,
    RefundIntended,
    OutsideRefundSeen,
    OrderConfirmed,
    OrderHeld,
    OrderReleased,
    VippsAskedAgain,
    ReviewEndProposed,
    ReviewEndDecided,
    HoldLiftProposed,
    HoldLiftDecided,
    KeyReused,
    RefundsPaused,
    RefundsResumed,
    BreakerOpened,
    BreakerClosed,
    RestoreDeclared,
    RestoreEnded,
    EndpointAdded,
    EndpointEnded,
    DeliveryRequeued,
    OrderCheckAsked,
    *(PaperHandedOver, PaperCopied),
    *(PolicyDrafted, PolicyDecided),
    *(DifferenceOpened, DifferenceGone, DifferenceAssigned, DifferenceExplained, OutsideRefundAcknowledged),
)
