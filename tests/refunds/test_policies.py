"""Limits change by two people and with a date; what was decided never changes again, and the trail keeps all of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from pytest_django import Settings

from refunds import policies
from refunds.models import AskerRole, Measure, PolicyReason, PolicyRule, PolicyVersion, Tier, Verdict
from refunds.rulebooks import ReasonChoice
from refunds.rules import Rule
from stores import access, audit, clock, people
from stores.errors import HubError
from stores.models import Company, Role, User
from tests.conftest import Chain
from tests.refunds.policies import REASONS, WORDS, confirmed, content, drafted, finn, in_force, rules_now
from tests.refunds.reviewing import at_hq

LIMIT = Rule(measure=Measure.REFUND, above_minor=50_000, currency="NOK")
DAY = Rule(measure=Measure.CASHIER, above_minor=100_000, currency="NOK", role=AskerRole.CASHIER, allowed_by=Tier.HEADQUARTERS)


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(HubError) as caught:
        call()
    return caught.value.code


def decide(chain: Chain, verb: str, version: PolicyVersion, who: User) -> PolicyVersion:
    more: dict[str, Any] = {"put_into_force": {"digest": policies.digest_of(version)}, "reject": {"note": "No"}}.get(verb, {})
    decided: PolicyVersion = getattr(policies, verb)(version.pk, asker=who, by=access.actor_for(who), **more)
    return decided


def test_without_a_version_the_settings_limit_holds(chain: Chain, settings: Settings) -> None:
    settings.APPROVAL_ABOVE_MINOR = {"NOK": 50_000, "DKK": 1}
    expected = (Rule(measure=Measure.REFUND, above_minor=1, currency="DKK"), LIMIT)
    assert rules_now(chain) == expected
    drafted(chain, DAY)
    assert rules_now(chain) == expected


def test_a_version_holds_once_another_person_puts_it_into_force(chain: Chain, settings: Settings) -> None:
    settings.APPROVAL_ABOVE_MINOR = {"NOK": 1}
    version = in_force(chain, LIMIT, replace(DAY, store_id=chain.oslo.pk))
    assert (version.number, version.verdict, version.decided_by) == (1, Verdict.CONFIRMED, finn(chain))
    assert rules_now(chain) == (LIMIT, replace(DAY, store_id=chain.oslo.pk))


def test_nobody_puts_her_own_draft_into_force_superuser_or_not(chain: Chain) -> None:
    version = drafted(chain, LIMIT)
    User.objects.filter(pk=chain.hanne.pk).update(is_superuser=True, is_staff=True)
    chain.hanne.refresh_from_db()
    for verb in ("put_into_force", "reject"):
        assert code_of(lambda verb=verb: decide(chain, verb, version, chain.hanne)) == "second_person_needed"  # type: ignore[misc]
    with pytest.raises(IntegrityError, match="by_two_people"), transaction.atomic():
        PolicyVersion.objects.update(verdict="confirmed", decided_by=chain.hanne, decided_at=clock.db_now())
    assert rules_now(chain) == ()


@pytest.mark.parametrize("role", [Role.SECURITY, Role.AUDITOR])
def test_who_has_not_the_right_neither_drafts_nor_decides(chain: Chain, role: Role) -> None:
    version = drafted(chain, LIMIT)
    for who in (at_hq(chain, "sara", role), chain.mona, chain.kari, chain.per):
        assert code_of(lambda who=who: drafted(chain, DAY, by=who)) == "forbidden"  # type: ignore[misc]
        for verb in ("put_into_force", "reject", "withdraw"):
            assert code_of(lambda who=who, verb=verb: decide(chain, verb, version, who)) == "forbidden"  # type: ignore[misc]
    version.refresh_from_db()
    assert version.verdict == ""


def test_another_chains_policy_is_not_there(chain: Chain) -> None:
    version = drafted(chain, LIMIT)
    stranger = User.objects.create(username="stranger")
    people.join_headquarters(stranger, Company.objects.create(name="Other"), role=Role.FINANCE, by=chain.by)
    for verb in ("put_into_force", "reject", "withdraw"):
        assert code_of(lambda verb=verb: decide(chain, verb, version, stranger)) == "not_found"  # type: ignore[misc]
    assert code_of(lambda: drafted(chain, DAY, by=stranger)) == "not_found"


def test_a_date_of_effect_is_kept_and_one_that_has_passed_becomes_now(chain: Chain) -> None:
    now = clock.db_now()
    old = in_force(chain, LIMIT, in_force_from=now - timedelta(days=30))
    assert old.in_force_from >= now
    in_force(chain, DAY, in_force_from=now + timedelta(days=2))
    assert rules_now(chain) == (LIMIT,)
    assert rules_now(chain, at=now, later=timedelta(days=2)) == (DAY,)
    assert rules_now(chain, at=now, later=timedelta(days=2, microseconds=-1)) == (LIMIT,)


def test_of_two_that_hold_from_the_same_moment_the_later_one_counts(chain: Chain) -> None:
    later = clock.db_now() + timedelta(days=1)
    in_force(chain, LIMIT, in_force_from=later)
    in_force(chain, DAY, in_force_from=later)
    assert rules_now(chain, later=timedelta(days=1)) == (DAY,)


def test_a_draft_that_changed_after_it_was_read_is_not_put_into_force(chain: Chain) -> None:
    version = drafted(chain, LIMIT)
    read = policies.digest_of(version)
    by, other = access.actor_for(chain.hanne), finn(chain)
    policies.change(version.pk, content(replace(LIMIT, above_minor=9_000_000)), asker=chain.hanne, by=by)
    late = access.actor_for(other)
    assert code_of(lambda: policies.put_into_force(version.pk, digest=read, asker=other, by=late)) == "policy_changed"
    assert rules_now(chain) == ()
    version.refresh_from_db()
    confirmed(chain, version)
    assert rules_now(chain) == (replace(LIMIT, above_minor=9_000_000),)


def test_a_draft_is_its_authors(chain: Chain) -> None:
    version = drafted(chain, LIMIT)
    other = finn(chain)
    assert code_of(lambda: policies.change(version.pk, content(DAY), asker=other, by=access.actor_for(other))) == "no_proposal"
    assert code_of(lambda: decide(chain, "withdraw", version, other)) == "no_proposal"
    assert decide(chain, "withdraw", version, chain.hanne).verdict == Verdict.WITHDRAWN


@pytest.mark.parametrize("end", ["put_into_force", "reject", "withdraw"])
def test_what_was_decided_is_decided(chain: Chain, end: str) -> None:
    version = drafted(chain, LIMIT)
    who = chain.hanne if end == "withdraw" else finn(chain)
    decide(chain, end, version, who)
    for verb, person in (("put_into_force", finn(chain)), ("reject", finn(chain)), ("withdraw", chain.hanne)):
        assert code_of(lambda verb=verb, person=person: decide(chain, verb, version, person)) == "no_proposal"  # type: ignore[misc]
    by = access.actor_for(chain.hanne)
    assert code_of(lambda: policies.change(version.pk, content(DAY), asker=chain.hanne, by=by)) == "no_proposal"


def test_whoever_drafted_must_still_have_the_right_when_it_comes_into_force(chain: Chain) -> None:
    author = at_hq(chain, "olga", Role.OPERATOR)
    version = drafted(chain, LIMIT, by=author)
    [membership] = author.memberships.all()
    people.leave_store(membership, reason="moved", by=chain.by)
    assert code_of(lambda: confirmed(chain, version)) == "proposer_may_not"


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"above_minor": -1}, "rules", "the limit is zero or more"),
    ({"currency": "USD"}, "rules", "not one of Vipps MobilePay's"),
    ({"currency": ""}, "rules", "names its currency"),
    ({"currency": "", "above_minor": 0, "measure": Measure.CASHIER}, "rules", "names its currency"),
    ({"older_than_days": 366}, "rules", "0 to 365"),
    ({"store_id": 0}, "rules", "not one of this chain"),
    ({"reason": "boredom"}, "rules", "not among this version's reasons"),
]


@pytest.mark.parametrize(("wrong", "field", "said"), REFUSED, ids=[f"{row[0]}" for row in REFUSED])
def test_a_rule_that_cannot_be_meant_is_refused_by_its_number(
    chain: Chain, wrong: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(HubError) as caught:
        drafted(chain, DAY, replace(LIMIT, **wrong))
    assert (caught.value.code, caught.value.field) == ("invalid", field)
    assert str(caught.value).startswith("Rule 2: ")
    assert said in str(caught.value)
    assert not PolicyVersion.objects.exists()


def test_the_same_rule_twice_is_refused(chain: Chain) -> None:
    assert code_of(lambda: drafted(chain, LIMIT, replace(LIMIT, above_minor=1))) == "invalid"
    drafted(chain, LIMIT, replace(LIMIT, above_minor=1, store_id=chain.oslo.pk))


@pytest.mark.parametrize(
    "reasons",
    [
        (),
        (REASONS[0], REASONS[0]),
        (ReasonChoice(code="Returned", labels=WORDS),),
        (ReasonChoice(code="x", labels=WORDS),),
        (ReasonChoice(code="returned", labels={**WORDS, "fi": " "}),),
        (ReasonChoice(code="returned", labels={**WORDS, "sv": "x" * 61}),),
        (ReasonChoice(code="returned", labels={**WORDS, "da": "\x00"}),),
    ],
)
def test_reasons_have_codes_of_their_own_and_words_in_every_language(chain: Chain, reasons: tuple[ReasonChoice, ...]) -> None:
    with pytest.raises(HubError) as caught:
        drafted(chain, LIMIT, reasons=reasons)
    assert caught.value.field == "reasons"
    assert not PolicyVersion.objects.exists()


def test_a_draft_says_why(chain: Chain) -> None:
    assert code_of(lambda: drafted(chain, LIMIT, note=" ")) == "reason_needed"


KEPT = [
    "UPDATE refunds_policyversion SET note = 'x'",
    "UPDATE refunds_policyversion SET in_force_from = in_force_from + interval '1 day'",
    "UPDATE refunds_policyversion SET verdict = ''",
    "DELETE FROM refunds_policyversion",
    "UPDATE refunds_policyrule SET above_minor = 0",
    "DELETE FROM refunds_policyrule",
    "INSERT INTO refunds_policyrule (version_id, position, measure, above_minor, currency, role, older_than_days, reason,"
    " without_receipt, allowed_by) SELECT id, 9, 'refund', 0, '', '', 0, '', false, 'store' FROM refunds_policyversion",
    "UPDATE refunds_policyreason SET label_nb = 'x'",
    "DELETE FROM refunds_policyreason",
]


@pytest.mark.parametrize("statement", KEPT)
@pytest.mark.parametrize("end", ["put_into_force", "reject", "withdraw"])
def test_the_database_itself_keeps_what_was_decided(chain: Chain, end: str, statement: str) -> None:
    version = drafted(chain, LIMIT)
    decide(chain, end, version, chain.hanne if end == "withdraw" else finn(chain))
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert (PolicyRule.objects.count(), PolicyReason.objects.count()) == (1, len(REASONS))


def test_a_decided_versions_rule_does_not_move_into_a_draft(chain: Chain) -> None:
    in_force(chain, LIMIT)
    waiting = drafted(chain, DAY)
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        PolicyRule.objects.exclude(version=waiting).update(version=waiting)


def test_the_trail_tells_who_drafted_and_decided_what(chain: Chain) -> None:
    version = in_force(chain, LIMIT)
    entries = list(audit.timeline_of("policy", str(version.pk)))
    assert [(entry.event, entry.actor_name) for entry in entries] == [("policy.drafted", "Hanne"), ("policy.decided", "Finn")]
    facts = audit.facts_of(entries[1])
    assert (facts["verdict"], facts["proposed_by"], facts["policy"]) == ("confirmed", "Hanne", 1)
    assert facts["rules"] == [{"measure": "refund", "above_minor": 50_000, "allowed_by": "store", "currency": "NOK"}]
    assert [reason["code"] for reason in facts["reasons"]] == [reason.code for reason in REASONS]
    assert "Policy 1 of Hanne" in audit.sentence_of(entries[1])
    assert audit.verify().bad is None
