"""How the chain's limits change: one person drafts a version with its date, another puts it into force; no exception.

A draft is its author's until somebody decides it; what was decided never changes again (the database holds both).
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from refunds import rulebooks
from refunds.errors import NoProposal, PolicyChanged, ProposerMayNot, SecondPersonNeeded
from refunds.events import PolicyDecided, PolicyDrafted
from refunds.models import PolicyReason, PolicyRule, PolicyVersion, Verdict
from refunds.models.policy import LARGEST_LIMIT, LONGEST_LABEL, MOST_DAYS, REASON_CODE
from refunds.notes import clean_note, is_storable
from refunds.rulebooks import ReasonChoice, Rulebook
from refunds.rules import SUMS, Rule
from refunds.telling import LANGUAGES
from stores import access, audit, clock
from stores.access import Right
from stores.actors import Actor
from stores.audit import Subject
from stores.errors import Invalid, NotFound
from stores.models import Company, Store, User
from stores.money import CURRENCIES

MOST_RULES = 200
MOST_REASONS = 20


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a version says: why it is made, from when it holds, its rules and its reasons."""

    note: str
    in_force_from: datetime
    rules: tuple[Rule, ...]
    reasons: tuple[ReasonChoice, ...]


def draft(company: Company, content: Content, *, asker: User, by: Actor) -> PolicyVersion:
    """A new version that waits for another person. Raises Forbidden, ReasonNeeded, Invalid."""
    _require(company, asker)
    note = clean_note(content.note)
    _check(content, company)
    with transaction.atomic():
        Company.objects.select_for_update(no_key=True).get(pk=company.pk)
        last = PolicyVersion.objects.filter(company=company).aggregate(last=Max("number"))["last"]
        version = PolicyVersion.objects.create(
            company=company,
            number=(last or 0) + 1,
            note=note,
            in_force_from=content.in_force_from,
            proposed_by=asker,
            proposed_at=clock.db_now(),
        )
        _write(version, content)
        _tell(version, _drafted(version), by)
    return version


def change(version_id: int, content: Content, *, asker: User, by: Actor) -> PolicyVersion:
    """The author writes her draft anew. Raises NotFound, Forbidden, NoProposal (it is not hers, or was decided), Invalid."""
    company = _company_of(version_id, asker)
    note = clean_note(content.note)
    _check(content, company)
    with transaction.atomic():
        version = _lock_waiting(version_id)
        if version.proposed_by_id != asker.pk:
            raise NoProposal
        version.note, version.in_force_from = note, content.in_force_from
        version.save(update_fields=["note", "in_force_from"])
        version.rules.all().delete()
        version.reasons.all().delete()
        _write(version, content)
        _tell(version, _drafted(version), by)
    return version


def put_into_force(version_id: int, *, digest: str, asker: User, by: Actor) -> PolicyVersion:
    """The second person: it holds from its date, at the earliest from now. `digest` is of what she read.

    Raises NotFound, Forbidden, NoProposal, SecondPersonNeeded, ProposerMayNot, PolicyChanged.
    """
    _company_of(version_id, asker)
    with transaction.atomic():
        version = _lock_waiting(version_id)
        if version.proposed_by_id == asker.pk:
            raise SecondPersonNeeded
        if not access.may(version.proposed_by, Right.SET_POLICY):
            raise ProposerMayNot
        if digest != digest_of(version):
            raise PolicyChanged
        version.in_force_from = max(version.in_force_from, clock.db_now())
        _decide(version, Verdict.CONFIRMED, by=asker)
        _tell(version, _decided(version), by)
    return version


def reject(version_id: int, *, note: str, asker: User, by: Actor) -> PolicyVersion:
    """The second person says no. Raises NotFound, Forbidden, ReasonNeeded, NoProposal, SecondPersonNeeded."""
    _company_of(version_id, asker)
    words = clean_note(note)
    with transaction.atomic():
        version = _lock_waiting(version_id)
        if version.proposed_by_id == asker.pk:
            raise SecondPersonNeeded
        _decide(version, Verdict.REJECTED, by=asker)
        _tell(version, _decided(version, words), by)
    return version


def withdraw(version_id: int, *, asker: User, by: Actor) -> PolicyVersion:
    """The author takes it back. Raises NotFound, Forbidden, NoProposal."""
    _company_of(version_id, asker)
    with transaction.atomic():
        version = _lock_waiting(version_id)
        if version.proposed_by_id != asker.pk:
            raise NoProposal
        _decide(version, Verdict.WITHDRAWN, by=None)
        _tell(version, _decided(version), by)
    return version


def digest_of(version: PolicyVersion) -> str:
    """SHA-256 (hex) of all that a version says, so that what was read is what comes into force."""
    return _digest(version, rulebooks.content_of(version))


def _digest(version: PolicyVersion, book: Rulebook) -> str:
    told = {**_told(book), "in_force_from": version.in_force_from.isoformat(), "note": version.note}
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _told(book: Rulebook) -> dict[str, list[dict[str, Any]]]:
    """As the trail keeps it; a store by its id in the database."""
    rules = [{name: value for name, value in asdict(rule).items() if value} for rule in book.rules]
    return {"rules": rules, "reasons": [asdict(reason) for reason in book.reasons]}


def _require(company: Company, asker: User) -> None:
    access.require(asker, Right.SET_POLICY)
    if company != access.company_of(asker):
        raise NotFound(_("There is no such policy."))


def _company_of(version_id: int, asker: User) -> Company:
    access.require(asker, Right.SET_POLICY)
    company = access.company_of(asker)
    if not PolicyVersion.objects.filter(pk=version_id, company=company).exists():
        raise NotFound(_("There is no such policy."))
    return company


def _lock_waiting(version_id: int) -> PolicyVersion:
    waiting = PolicyVersion.objects.select_for_update(of=("self",), no_key=True).filter(pk=version_id, verdict="")
    version = waiting.select_related("proposed_by", "company").first()
    if version is None:
        raise NoProposal
    return version


def _decide(version: PolicyVersion, verdict: Verdict, *, by: User | None) -> None:
    version.verdict, version.decided_by, version.decided_at = verdict, by, clock.db_now()
    version.save(update_fields=["verdict", "decided_by", "decided_at", "in_force_from"])


def _write(version: PolicyVersion, content: Content) -> None:
    PolicyRule.objects.bulk_create(
        PolicyRule(version=version, position=position, **asdict(rule)) for position, rule in enumerate(content.rules)
    )
    PolicyReason.objects.bulk_create(
        PolicyReason(
            version=version,
            position=position,
            code=reason.code,
            needs_words=reason.needs_words,
            **{f"label_{language}": reason.labels[language] for language in LANGUAGES},
        )
        for position, reason in enumerate(content.reasons)
    )


def _check(content: Content, company: Company) -> None:
    _check_reasons(content.reasons)
    if len(content.rules) > MOST_RULES:
        raise Invalid(_("That is too many rules: at most 200."), field="rules")
    stores = set(Store.objects.filter(company=company).values_list("pk", flat=True))
    seen = set()
    for number, rule in enumerate(content.rules, start=1):
        problem = _problem_of(rule, stores, {reason.code for reason in content.reasons})
        key = (rule.measure, rule.allowed_by, rule.currency, rule.role, rule.store_id, rule.older_than_days)
        if not problem and (*key, rule.reason, rule.without_receipt) in seen:
            problem = _("the same rule stands above, with another limit")
        if problem:
            raise Invalid(_("Rule %(number)s: %(problem)s.") % {"number": number, "problem": problem}, field="rules")
        seen.add((*key, rule.reason, rule.without_receipt))


def _problem_of(rule: Rule, stores: set[int], reasons: set[str]) -> Any:
    if not 0 <= rule.above_minor <= LARGEST_LIMIT:
        return _("the limit is zero or more")
    if rule.currency not in ("", *CURRENCIES):
        return _("the currency is not one of Vipps MobilePay's")
    if not rule.currency and (rule.above_minor or rule.measure in SUMS):
        return _("a limit above zero, and a sum, names its currency")
    if not 0 <= rule.older_than_days <= MOST_DAYS:
        return _("the days are 0 to 365")
    if rule.store_id is not None and rule.store_id not in stores:
        return _("the store is not one of this chain")
    if rule.reason and rule.reason not in reasons:
        return _("the reason is not among this version's reasons")
    return None


def _check_reasons(reasons: tuple[ReasonChoice, ...]) -> None:
    codes = [reason.code for reason in reasons]
    if not 1 <= len(codes) <= MOST_REASONS or len(set(codes)) != len(codes):
        raise Invalid(_("Give one to twenty reasons, each with a code of its own."), field="reasons")
    for reason in reasons:
        if not REASON_CODE.fullmatch(reason.code):
            sentence = _("A reason's code is 2 to 20 small letters, digits and underscores, and begins with a letter.")
            raise Invalid(sentence, field="reasons")
        labels = [reason.labels.get(language, "") for language in LANGUAGES]
        if not all(label.strip() and len(label) <= LONGEST_LABEL and is_storable(label) for label in labels):
            raise Invalid(_("Each reason has its words in all five languages, 60 characters at most."), field="reasons")


def _drafted(version: PolicyVersion) -> PolicyDrafted:
    book = rulebooks.content_of(version)
    return PolicyDrafted(
        policy=version.number,
        in_force_from=version.in_force_from.isoformat(),
        note=version.note,
        digest=_digest(version, book),
    )


def _decided(version: PolicyVersion, note: str = "") -> PolicyDecided:
    book = rulebooks.content_of(version)
    return PolicyDecided(
        policy=version.number,
        verdict=version.verdict,
        proposed_by=str(version.proposed_by),
        in_force_from=version.in_force_from.isoformat(),
        note=note,
        digest=_digest(version, book),
        **_told(book),
    )


def _tell(version: PolicyVersion, event: PolicyDrafted | PolicyDecided, by: Actor) -> None:
    audit.record(event, by=by, company=version.company, store=None, about=Subject(type="policy", id=str(version.pk)))
