"""What becomes of a refund or a release, from the asking to its end."""

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
class KeyReused(TrailEvent):
    """A request key came again with another body and was refused."""

    name = "refund.key_reused"
    sentence = _("The request key of refund {refund} came again with another wish; it was refused.")
    refund: str
