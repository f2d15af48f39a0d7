"""What wishes are judged by now: the chain's newest version whose date has come, else the settings' one limit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.expressions import Combinable
from django.utils import translation
from django.utils.functional import Promise

from refunds.models import Measure, PolicyReason, PolicyRule, PolicyVersion, Reason, Tier, Verdict
from refunds.rules import Rule
from refunds.telling import LANGUAGES, spoken

_KEPT_VERSIONS = 64


@dataclass(frozen=True, kw_only=True)
class ReasonChoice:
    """A reason that may be chosen. `labels` by language; one that `needs_words` must be explained as well."""

    code: str
    labels: Mapping[str, str]
    needs_words: bool = False

    @property
    def label(self) -> str:
        """In the reader's language."""
        return self.labels[spoken()]


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    """Rules and reasons. `version_id` is None and `number` 0 where the settings are all there is."""

    rules: tuple[Rule, ...]
    reasons: tuple[ReasonChoice, ...]
    version_id: int | None = None
    number: int = 0

    def reason(self, code: str) -> ReasonChoice | None:
        """The reason of that code, if it may be chosen."""
        return next((reason for reason in self.reasons if reason.code == code), None)


def in_force(company_id: int, *, now: datetime) -> Rulebook:
    """The rulebook of a chain at that moment; one query once the version's content is known to this process."""
    return of_version(_in_force(now).filter(company=company_id).values_list("pk", flat=True).first())


def id_in_force(company: OuterRef, *, now: Combinable) -> Subquery:
    """The version in force of the chain that an outer query names, for `of_version`: it costs no question of its own."""
    return Subquery(_in_force(now).filter(company=company).values("pk")[:1])


def of_version(version_id: int | None) -> Rulebook:
    """The rulebook of a decided version; of None the settings'."""
    if version_id is None:
        return Rulebook(rules=_limits_of_settings(), reasons=_built_in_reasons())
    return _of_decided(version_id)


def content_of(version: PolicyVersion) -> Rulebook:
    """A version's rules and reasons as they stand now; a draft's may change."""
    return Rulebook(
        rules=tuple(_rule(row) for row in PolicyRule.objects.filter(version=version)),
        reasons=tuple(_reason(row) for row in PolicyReason.objects.filter(version=version)),
        version_id=version.pk,
        number=version.number,
    )


def _in_force(now: datetime | Combinable) -> QuerySet[PolicyVersion]:
    confirmed = PolicyVersion.objects.filter(verdict=Verdict.CONFIRMED, in_force_from__lte=now)
    return confirmed.order_by("-in_force_from", "-number")


@lru_cache(maxsize=_KEPT_VERSIONS)
def _of_decided(version_id: int) -> Rulebook:
    """A version that was decided never changes again, so a process reads it once."""
    return content_of(PolicyVersion.objects.get(pk=version_id))


def _limits_of_settings() -> tuple[Rule, ...]:
    limits: dict[str, int] = settings.APPROVAL_ABOVE_MINOR
    return tuple(
        Rule(measure=Measure.REFUND, above_minor=limit, currency=currency) for currency, limit in sorted(limits.items())
    )


@lru_cache(maxsize=1)
def _built_in_reasons() -> tuple[ReasonChoice, ...]:
    return tuple(
        ReasonChoice(code=reason.value, labels=_in_every_language(reason.label), needs_words=reason == Reason.OTHER)
        for reason in Reason
    )


def _in_every_language(text: str | Promise) -> dict[str, str]:
    said = {}
    for language in LANGUAGES:
        with translation.override(language):
            said[language] = str(text)
    return said


def _rule(row: PolicyRule) -> Rule:
    return Rule(
        measure=Measure(row.measure),
        above_minor=row.above_minor,
        allowed_by=Tier(row.allowed_by),
        currency=row.currency,
        role=row.role,
        store_id=row.store_id,
        older_than_days=row.older_than_days,
        reason=row.reason,
        without_receipt=row.without_receipt,
    )


def _reason(row: PolicyReason) -> ReasonChoice:
    labels: dict[str, Any] = {language: getattr(row, f"label_{language}") for language in LANGUAGES}
    return ReasonChoice(code=row.code, labels=labels, needs_words=row.needs_words)
