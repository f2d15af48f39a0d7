"""What people decide about refunds that stand in review, and about orders on hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from refunds import telling
from stores.events import TrailEvent


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
