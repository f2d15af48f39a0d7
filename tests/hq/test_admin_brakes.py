"""Headquarters' pages of what stops refunds: pauses, circuit breakers and restores, and the banner that tells of them."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from refunds import breakers, pausing, restoring
from refunds.gateway import Meaning, Outcome
from refunds.models import Breaker, Pause, Refund, State, WaitsFor
from refunds.pausing import Reach
from stores import access, clock, people
from stores.actors import hub
from stores.models import Company, Role, User
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters
from tests.refunds.asking import ask, run
from tests.refunds.reviewing import at_hq

PAUSES = "/hq/refunds/pause/"
BREAKERS = "/hq/refunds/breaker/"
RESTORES = "/hq/refunds/restoreepoch/"


@pytest.fixture
def hanne(chain: Chain) -> Client:
    return at_headquarters(chain.hanne)


def paused(chain: Chain, **reach: Any) -> Pause:
    by = access.actor_for(chain.hanne)
    return pausing.pause(chain.company, Reach(**reach), reason="the till pays twice", asker=chain.hanne, by=by)


def refused_unit(chain: Chain) -> Breaker:
    """Vipps does not let the hub act for Bergen, three times in a row."""
    for _ in range(breakers.REFUSALS_OF_A_UNIT):
        breakers.heed(chain.units["BGO"], Outcome(meaning=Meaning.MISCONFIGURED, status=403), by=hub("worker"))
    return Breaker.objects.get(sales_unit=chain.units["BGO"])


def alerts(client: Client) -> list[str]:
    return [str(alert.sentence) for alert in client.get("/hq/").context["alerts"]]


@pytest.mark.parametrize(
    ("scope", "field", "subject"),
    [("everything", "", ""), ("sales_unit", "sales_unit", "BGO"), ("store", "store", "oslo"), ("cashier", "cashier", "kari")],
)
def test_a_pause_begins_and_ends_on_its_pages(chain: Chain, hanne: Client, scope: str, field: str, subject: str) -> None:
    chosen: Any = chain.units.get(subject) or getattr(chain, subject, None)
    data = {"scope": scope, "reason": "the till pays twice", **({field: chosen.pk} if field else {})}
    assert hanne.post(f"{PAUSES}pause/", data).status_code == 302
    row = Pause.objects.get()
    assert (row.scope, row.subject, row.resumed_at) == (scope, str(chosen) if field else "", None)
    assert any("the till pays twice" in sentence for sentence in alerts(hanne))
    page = hanne.get(f"{PAUSES}{row.pk}/change/").content.decode()
    assert row.get_scope_display() in unescape(page)
    assert f'href="{PAUSES}{row.pk}/resume/"' in page
    assert hanne.post(f"{PAUSES}{row.pk}/resume/", {"reason": "mended"}).status_code == 302
    row.refresh_from_db()
    assert row.resumed_at is not None
    assert f'href="{PAUSES}{row.pk}/resume/"' not in hanne.get(f"{PAUSES}{row.pk}/change/").content.decode()
    assert alerts(hanne) == []


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"scope": "store", "reason": "x"}, "Choose which one."),
        ({"scope": "cashier", "reason": "x"}, "Choose which one."),
        ({"scope": "everything", "reason": ""}, "This field is required."),
        ({"reason": "x"}, "This field is required."),
        ({"scope": "galaxy", "reason": "x"}, "Select a valid choice."),
    ],
)
def test_nothing_chosen_never_means_everything(chain: Chain, hanne: Client, data: dict[str, str], told: str) -> None:
    answer = hanne.post(f"{PAUSES}pause/", data)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not Pause.objects.exists()


def test_what_is_chosen_beside_the_choice_is_not_left_out_silently(chain: Chain, hanne: Client) -> None:
    answer = hanne.post(f"{PAUSES}pause/", {"scope": "everything", "store": chain.oslo.pk, "reason": "x"})
    assert answer.status_code == 422
    assert "it is not what you chose to stop" in answer.content.decode()
    assert not Pause.objects.exists()


def test_what_is_paused_already_says_so(chain: Chain, hanne: Client) -> None:
    paused(chain)
    answer = hanne.post(f"{PAUSES}pause/", {"scope": "everything", "reason": "again"})
    assert (answer.status_code, "That is paused already." in answer.content.decode()) == (422, True)


def test_a_paused_refund_waits_and_goes_on(chain: Chain, hanne: Client) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7900", 100_000)
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    row = paused(chain, store=chain.oslo)
    assert run(refund).state == State.QUEUED
    assert hanne.post(f"{PAUSES}{row.pk}/resume/", {"reason": "mended"}).status_code == 302
    assert run(refund).state == State.REFUNDED


def test_resuming_asks_for_a_fresh_proof_and_stopping_does_not(chain: Chain) -> None:
    client = at_headquarters(chain.hanne, seconds_ago=3600)
    assert client.post(f"{PAUSES}pause/", {"scope": "everything", "reason": "stop"}).status_code == 302
    row = Pause.objects.get()
    answer = client.post(f"{PAUSES}{row.pk}/resume/", {"reason": "go"})
    assert answer["Location"].startswith("/accounts/2fa/reauthenticate/")
    row.refresh_from_db()
    assert row.resumed_at is None


def test_an_auditor_sees_and_does_nothing(chain: Chain) -> None:
    client = at_headquarters(at_hq(chain, "ola", Role.AUDITOR))
    row, breaker = paused(chain), refused_unit(chain)
    for url in (PAUSES, f"{PAUSES}{row.pk}/change/", BREAKERS, f"{BREAKERS}{breaker.pk}/change/", RESTORES):
        page = client.get(url)
        assert page.status_code == 200, url
        assert f"{PAUSES}pause/" not in page.content.decode(), url
    for verb in (f"{PAUSES}pause/", f"{PAUSES}{row.pk}/resume/", f"{BREAKERS}{breaker.pk}/ask_again/"):
        assert client.post(verb, {"scope": "everything", "reason": "x"}).status_code == 403, verb
    row.refresh_from_db()
    assert row.resumed_at is None


def test_an_open_breaker_is_listed_and_closed_by_hand(chain: Chain, hanne: Client) -> None:
    breaker = refused_unit(chain)
    assert breaker.is_open
    assert any("100002" in sentence for sentence in alerts(hanne))
    assert f"{BREAKERS}{breaker.pk}/" in hanne.get(BREAKERS, {"state": "open"}).content.decode()
    assert f"{BREAKERS}{breaker.pk}/" not in hanne.get(BREAKERS, {"state": "closed"}).content.decode()
    page = hanne.get(f"{BREAKERS}{breaker.pk}/change/").content.decode()
    assert f'href="{BREAKERS}{breaker.pk}/ask_again/"' in page
    assert re.search(r">\s*left alone\s*<", page)
    assert hanne.post(f"{BREAKERS}{breaker.pk}/ask_again/").status_code == 302
    breaker.refresh_from_db()
    assert not breaker.is_open
    assert hanne.post(f"{BREAKERS}{breaker.pk}/ask_again/").status_code == 403
    assert alerts(hanne) == []


def test_what_waits_behind_a_breaker_goes_on_when_it_is_closed(chain: Chain, hanne: Client) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7900", 100_000)
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    breaker = refused_unit(chain)
    assert run(refund).waits_for == WaitsFor.SALES_UNIT
    hanne.post(f"{BREAKERS}{breaker.pk}/ask_again/")
    assert run(refund).state == State.REFUNDED


def test_a_restore_is_told_until_it_is_over(chain: Chain, hanne: Client) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7900", 100_000)
    run(ask(order, 25_000, who=chain.kari, store=chain.oslo).refund)
    restored_to = clock.db_now() - timedelta(hours=2)
    epoch = restoring.declare_restore(
        chain.company, restored_to=restored_to, reason="disk lost", declared_by="Ola", by=hub("command")
    )
    assert alerts(hanne) == ["After a restore nothing is sent until every order near it was read at Vipps: 1 to go."]
    page = hanne.get(RESTORES).content.decode()
    assert "disk lost" in page
    assert "0 of 1" in page
    restoring.check_restores(by=hub("sweep"))
    assert alerts(hanne) == ["After a restore nothing is sent for a quiet time yet."]
    page = hanne.get(f"{RESTORES}{epoch.pk}/change/").content.decode()
    assert "1 of 1" in page
    assert re.search(r">\s*quiet time\s*<", page)
    later = clock.db_now() + timedelta(minutes=16)
    with clock.bound(clock.Source(now=lambda: later)):
        restoring.check_restores(by=hub("sweep"))
    assert alerts(hanne) == []


def test_another_chains_brakes_are_not_shown(chain: Chain) -> None:
    row, breaker = paused(chain), refused_unit(chain)
    stranger = User.objects.create(username="stranger")
    people.join_headquarters(stranger, Company.objects.create(name="Other"), role=Role.APPROVER, by=chain.by)
    client = at_headquarters(stranger)
    assert alerts(client) == []
    assert f"{PAUSES}{row.pk}/" not in client.get(PAUSES).content.decode()
    assert f"{BREAKERS}{breaker.pk}/" not in client.get(BREAKERS).content.decode()
    for verb in (f"{PAUSES}{row.pk}/resume/", f"{BREAKERS}{breaker.pk}/ask_again/"):
        assert client.post(verb, {"reason": "x"}).status_code in (403, 404)
    row.refresh_from_db()
    breaker.refresh_from_db()
    assert (row.resumed_at, breaker.is_open) == (None, True)


def test_many_brakes_are_named_in_part(chain: Chain, hanne: Client) -> None:
    for store in (chain.oslo, chain.bergen, chain.trondheim, chain.bodo, chain.hamar):
        paused(chain, store=store)
    paused(chain, cashier=chain.kari)
    assert len(alerts(hanne)) == 6
    assert alerts(hanne)[-1] == "And more is paused."
    assert not Refund.objects.exists()
