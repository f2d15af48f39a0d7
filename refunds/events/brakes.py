"""What holds refunds back: pauses, breakers, restores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from refunds import telling
from stores.events import TrailEvent


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
