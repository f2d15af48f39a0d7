"""Registrations at Vipps, kept by the hub itself: one for each unit with keys of its own, one for a partner."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from refunds import doorbell
from stores import audit, clock, credentials, registrations, sessions
from stores.actors import hub
from stores.credentials import VippsKeys
from stores.errors import Misconfigured
from stores.models import Entry, KeySet, Notice, RegistrationWatch, SalesUnit, StoreUnit, WebhookRegistration
from stores.registering import keep_registrations, looking
from stores.vipps import payments
from stores.vipps.errors import OurDefect
from stores.vipps.exchange import Deadline, Request, Response
from stores.vipps.simulator import Fault, FaultKind
from stores.vipps.simulator.webhooks.registrations import Owner
from stores.vipps.simulator.webhooks.telling import Outgoing
from stores.vipps.webhooks import PAYMENT_EVENTS
from stores.vipps.wsgi_transport import WsgiTransport
from tests.conftest import Chain

BASE = "https://refunds.example"
SWEEP = hub("sweep")
BERGEN = "100002"
Travel = Callable[[timedelta], None]


@pytest.fixture(autouse=True)
def _public(settings: Settings) -> None:
    settings.PUBLIC_URL = BASE
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "refunds.example"]


@pytest.fixture
def travel(chain: Chain) -> Iterator[Travel]:
    """Moves the hub's clock and the simulator's together."""
    moved = timedelta()

    def forward(by: timedelta) -> None:
        nonlocal moved
        moved += by
        chain.simulator.move_clock(by)

    with clock.bound(clock.Source(now=lambda: datetime.now(UTC) + moved)):
        yield forward


def keep() -> int:
    """A pass in a new process: no keys are kept from before."""
    sessions.forget_all()
    return keep_registrations(by=SWEEP)


def look_again() -> int:
    soon = clock.db_now() + timedelta(days=1)
    RegistrationWatch.objects.filter(next_look_at__lt=soon).update(next_look_at=clock.db_now())
    return keep()


def owners(chain: Chain) -> Counter[str]:
    return Counter(registered.owner.name for registered in chain.simulator.registrations)


def of_bergen(chain: Chain) -> list[str]:
    return [registered.url for registered in chain.simulator.registrations if registered.owner.name == BERGEN]


def bergens() -> list[WebhookRegistration]:
    return list(WebhookRegistration.objects.filter(sales_unit__msn=BERGEN).order_by("pk"))


def watch_of(chain: Chain) -> RegistrationWatch:
    return RegistrationWatch.objects.get(sales_unit=chain.units["BGO"])


def put_at_vipps(chain: Chain, url: str) -> None:
    chain.simulator._apis.registrations.add(
        url, PAYMENT_EVENTS, Owner(kind="unit", name=BERGEN), most=25, looks_like="base64"
    )


def only_bergen(chain: Chain) -> None:
    """The others are looked at much later."""
    keep()
    RegistrationWatch.objects.exclude(sales_unit=chain.units["BGO"]).update(next_look_at=clock.db_now() + timedelta(days=999))


def to_our_door(outgoing: Outgoing) -> int:
    headers = {name: value for name, value in outgoing.headers.items() if name != "Content-Type"}
    path = urlsplit(outgoing.url).path
    return Client().post(path, outgoing.body, content_type="application/json", headers=headers).status_code


def verdicts_of_what_comes(chain: Chain) -> list[str]:
    while chain.simulator.deliver_due(to_our_door):
        pass
    for notice in Notice.objects.filter(verdict=""):
        doorbell.answer(notice.pk)
    return sorted(Notice.objects.values_list("verdict", flat=True))


def told() -> list[str]:
    entries = Entry.objects.filter(event__startswith="webhook_registration").order_by("pk")
    return [entry.event.rpartition(".")[2] for entry in entries]


def test_each_unit_with_keys_of_its_own_is_registered_and_a_partner_once(chain: Chain) -> None:
    assert keep() == 4
    assert owners(chain) == {"100001": 1, BERGEN: 1, "100004": 1, "partner-1": 1}
    assert all(set(registered.events) == set(PAYMENT_EVENTS) for registered in chain.simulator.registrations)
    rows = WebhookRegistration.objects.filter(ended_at=None, confirmed_at__isnull=False)
    assert {(row.url, row.provider_id) for row in rows} == {(made.url, made.id) for made in chain.simulator.registrations}
    assert audit.verify().bad is None


def test_what_vipps_then_tells_is_genuine(chain: Chain) -> None:
    keep()
    for store, code in ((chain.bergen, "BGO"), (chain.trondheim, "TRD")):
        order = chain.sold(store, f"{code}-20261101-9100", 50_000)
        chain.simulator.portal_refund(chain.units[code].msn, order.reference, 1_000)
    assert verdicts_of_what_comes(chain) == ["genuine", "genuine"]


def test_the_secret_is_sealed_and_stands_nowhere(chain: Chain) -> None:
    keep()
    secrets = [registered.secret for registered in chain.simulator.registrations]
    canonical = "".join(entry.canonical for entry in Entry.objects.all())
    assert not [secret for secret in secrets if secret in canonical or secret in str(list(RegistrationWatch.objects.values()))]


def test_without_an_address_of_its_own_the_hub_registers_nothing(chain: Chain, settings: Settings) -> None:
    settings.PUBLIC_URL = ""
    assert keep() == 0
    assert chain.simulator.registrations == []
    assert not RegistrationWatch.objects.exists()


def test_it_is_left_alone_until_it_is_time_to_look_again(chain: Chain, travel: Travel) -> None:
    keep()
    calls = chain.simulator.calls.total()
    assert keep() == 0
    assert chain.simulator.calls.total() == calls
    travel(timedelta(minutes=12))
    assert keep() == 4, "what was just made is to be seen in the list"
    travel(timedelta(hours=5))
    assert keep() == 0
    travel(timedelta(hours=2))
    before = chain.simulator.registrations
    assert keep() == 4
    assert chain.simulator.registrations == before
    assert watch_of(chain).at_vipps == 1


def test_two_passes_at_once_look_once(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    within: list[int] = []
    real = looking.Look.keep_one

    def keep_one(look: looking.Look) -> None:
        within.append(keep_registrations(by=SWEEP))
        real(look)

    monkeypatch.setattr(looking.Look, "keep_one", keep_one)
    assert keep() + sum(within) == 4
    assert set(owners(chain).values()) == {1}


@pytest.mark.parametrize("kind", [FaultKind.DROP_AFTER, FaultKind.ERROR_AFTER, FaultKind.MALFORMED])
def test_one_whose_secret_was_lost_with_the_answer_is_deleted_and_made_anew(chain: Chain, kind: FaultKind) -> None:
    chain.simulator.arm(Fault(kind=kind, api="webhooks", operation="register", msn=BERGEN))
    keep()
    lost = chain.simulator.registrations
    assert of_bergen(chain) == [bergens()[0].url]
    assert bergens()[0].confirmed_at is None
    assert "Unsure in webhooks_register" in watch_of(chain).problem
    look_again()
    [row] = bergens()
    [standing] = [made for made in chain.simulator.registrations if made.owner.name == BERGEN]
    assert (row.provider_id, row.url) == (standing.id, standing.url)
    assert standing.id not in {made.id for made in lost}
    assert watch_of(chain).problem == ""


@pytest.mark.parametrize("at", ["open_registration", "confirm_registration", "note_deleted", "note_missing"])
def test_a_crash_at_any_step_heals_at_the_next_look(chain: Chain, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """A row that is to be deleted, one that Vipps lost, and none that stands: every step has something to do."""
    keep()
    [gone] = bergens()
    chain.simulator._apis.registrations.remove(gone.provider_id)
    WebhookRegistration.objects.filter(pk=gone.pk).update(confirmed_at=clock.db_now() - timedelta(hours=1))
    put_at_vipps(chain, f"{BASE}/hooks/vipps/{'A' * 43}")

    def crash(*_arguments: object, **_more: object) -> None:
        raise SystemError("the process dies here")

    with monkeypatch.context() as dying:
        dying.setattr(registrations, at, crash)
        with pytest.raises(SystemError):
            look_again()
    look_again()
    standing = [row for row in bergens() if row.ended_at is None]
    assert [row.url for row in standing] == of_bergen(chain)
    assert standing[0].confirmed_at is not None
    order = chain.sold(chain.bergen, "BGO-20261101-9101", 50_000)
    chain.simulator.portal_refund(BERGEN, order.reference, 1_000)
    assert verdicts_of_what_comes(chain) == ["genuine"]
    assert audit.verify().bad is None


def test_one_that_vipps_no_longer_has_is_ended_and_made_anew(chain: Chain, travel: Travel) -> None:
    keep()
    [first] = bergens()
    chain.simulator._apis.registrations.remove(first.provider_id)
    look_again()
    assert bergens() == [first], "it may only be late"
    travel(timedelta(hours=1))
    look_again()
    ended, made = bergens()
    assert (ended.ended_at is not None, ended.gone_at is not None) == (True, True)
    assert of_bergen(chain) == [made.url]
    sentences = [audit.sentence_of(entry) for entry in Entry.objects.filter(event="webhook_registration.ended")]
    assert sentences == [f"The address for Vipps' notices of {BERGEN} was ended: Vipps no longer has it"]


def test_one_at_our_address_that_nobody_knows_is_deleted_and_others_are_left_alone(chain: Chain) -> None:
    put_at_vipps(chain, f"{BASE}/hooks/vipps/{'A' * 43}")
    put_at_vipps(chain, "https://webshop.example/vipps")
    keep()
    assert sorted(of_bergen(chain)) == sorted([bergens()[0].url, "https://webshop.example/vipps"])
    assert watch_of(chain).at_vipps == 2
    assert told().count("deleted") == 1


def test_asked_for_a_renewal_the_new_one_stands_before_the_old_one_goes(chain: Chain, travel: Travel) -> None:
    only_bergen(chain)
    [old] = bergens()
    registrations.ask_renewal(old, reason="the secret was seen", by=chain.by)
    assert keep() == 1
    old, new = bergens()
    assert sorted(of_bergen(chain)) == sorted([old.url, new.url])
    look_again()
    assert len(of_bergen(chain)) == 2, "the old one stays for a day"
    travel(timedelta(hours=25))
    look_again()
    assert of_bergen(chain) == [new.url]
    old.refresh_from_db()
    assert (old.ended_at is not None, old.gone_at is not None) == (True, True)
    assert told()[-4:] == ["renewal_asked", "opened", "confirmed", "deleted"]


def test_what_both_tell_while_they_overlap_is_read_once(chain: Chain) -> None:
    only_bergen(chain)
    registrations.ask_renewal(bergens()[0], reason="the secret was seen", by=chain.by)
    keep()
    order = chain.sold(chain.bergen, "BGO-20261101-9102", 50_000)
    chain.simulator.portal_refund(BERGEN, order.reference, 1_000)
    assert verdicts_of_what_comes(chain) == ["duplicate", "genuine"]


def test_after_half_a_year_it_is_renewed_by_itself(chain: Chain, travel: Travel) -> None:
    only_bergen(chain)
    travel(timedelta(days=179))
    look_again()
    assert len(bergens()) == 1
    travel(timedelta(days=2))
    look_again()
    travel(timedelta(days=2))
    look_again()
    assert [row.ended_at is None for row in bergens()] == [False, True]
    assert of_bergen(chain) == [bergens()[1].url]


def test_one_that_headquarters_ended_is_deleted_at_vipps_and_another_made(chain: Chain) -> None:
    only_bergen(chain)
    [first] = bergens()
    registrations.end_registration(first, reason="the address leaked", by=chain.by)
    assert keep() == 1
    assert of_bergen(chain) == [bergens()[1].url]
    first.refresh_from_db()
    assert first.gone_at is not None


def test_a_unit_bound_to_partner_keys_loses_its_own_registration(chain: Chain) -> None:
    only_bergen(chain)
    unit = chain.units["BGO"]
    given = chain.simulator.add_partner("partner-1", ["100003", BERGEN])
    partner = KeySet.objects.get(subject="partner-1")
    new = VippsKeys(
        client_id=given.client_id, client_secret=given.client_secret, subscription_key=given.subscription_key
    )
    credentials.enter_keys(partner, new, by=chain.by)
    SalesUnit.objects.filter(pk=unit.pk).update(key_set=partner)
    look_again()
    assert BERGEN not in owners(chain)
    assert [row.ended_at is not None for row in bergens()] == [True]


def test_a_unit_that_lost_its_keys_ends_its_row_and_says_what_is_left(chain: Chain) -> None:
    only_bergen(chain)
    SalesUnit.objects.filter(pk=chain.units["BGO"].pk).update(key_set=None)
    look_again()
    look_again()
    assert [row.ended_at is not None for row in bergens()] == [True]
    assert watch_of(chain).problem.startswith("no_keys: ")
    assert len(of_bergen(chain)) == 1


def test_a_unit_closed_a_year_ago_is_heard_of_no_more(chain: Chain) -> None:
    only_bergen(chain)
    links = StoreUnit.objects.filter(sales_unit=chain.units["BGO"])
    links.update(valid_until=clock.db_now() - timedelta(days=300))
    look_again()
    assert len(of_bergen(chain)) == 1, "what it sold may still be refunded"
    links.update(valid_until=clock.db_now() - timedelta(days=366))
    look_again()
    assert of_bergen(chain) == []
    assert watch_of(chain).problem == ""
    calls = chain.simulator.calls.total()
    look_again()
    assert chain.simulator.calls.total() == calls


def test_a_hub_that_moved_registers_where_it_is_now(chain: Chain, settings: Settings, travel: Travel) -> None:
    only_bergen(chain)
    settings.PUBLIC_URL = "https://new.example"
    keep()
    assert [urlsplit(url).netloc for url in of_bergen(chain)] == ["refunds.example", "new.example"]
    travel(timedelta(days=2))
    look_again()
    assert [urlsplit(url).netloc for url in of_bergen(chain)] == ["new.example"]


def test_no_room_at_vipps_is_said_and_tried_again_later(chain: Chain, travel: Travel) -> None:
    chain.simulator.change_switches(webhooks_per_event=2)
    for number in range(2):
        put_at_vipps(chain, f"https://webshop.example/{number}")
    keep()
    watch = watch_of(chain)
    assert "too many registrations" in watch.problem
    assert watch.failures == 1
    assert keep() == 0, "it waits a minute"
    chain.simulator.change_switches(webhooks_per_event=3)
    travel(timedelta(minutes=2))
    assert keep() == 1
    assert watch_of(chain).problem == ""
    assert len(of_bergen(chain)) == 3


def test_waits_grow_while_vipps_is_away(chain: Chain, travel: Travel) -> None:
    chain.simulator.arm(Fault(kind=FaultKind.ERROR_BEFORE, api="webhooks", times=None))
    waits = []
    for _ in range(5):
        keep()
        watch = watch_of(chain)
        waits.append(round((watch.next_look_at - clock.db_now()).total_seconds() / 60))
        travel(timedelta(hours=1, minutes=1))
    assert waits == [1, 5, 15, 60, 60]
    chain.simulator.disarm()
    keep()
    assert owners(chain)[BERGEN] == 1


def test_who_cannot_open_keys_registers_nothing_and_says_so(chain: Chain, settings: Settings) -> None:
    private, settings.VAULT_PRIVATE_KEYS = settings.VAULT_PRIVATE_KEYS, ""
    keep()
    assert chain.simulator.registrations == []
    assert watch_of(chain).problem.startswith("keys_unreadable: ")
    settings.VAULT_PRIVATE_KEYS = private
    look_again()
    assert owners(chain)[BERGEN] == 1


def test_http_elsewhere_is_refused_before_vipps_is_asked(chain: Chain, settings: Settings) -> None:
    settings.PUBLIC_URL = "http://refunds.example"
    keep()
    assert chain.simulator.registrations == []
    assert watch_of(chain).problem.startswith("invalid: ")


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_during_a_call(chain: Chain) -> None:
    asked: list[str] = []

    class Watching:
        def __init__(self) -> None:
            self.inner = WsgiTransport(chain.simulator.wsgi)

        def send(self, request: Request, *, deadline: Deadline) -> Response:
            assert not connection.in_atomic_block
            asked.append(request.operation)
            return self.inner.send(request, deadline=deadline)

    with sessions.use_transport(Watching()):
        assert keep_registrations(by=SWEEP) == 4
        registrations.end_registration(bergens()[0], reason="moved", by=chain.by)
        assert keep_registrations(by=SWEEP) == 1
    assert {"webhooks_list", "webhooks_register", "webhooks_delete"} <= set(asked)


def test_a_session_of_a_partner_without_a_unit_can_move_nothing(chain: Chain) -> None:
    partner, own = chain.units["TRD"].key_set, chain.units["BGO"].key_set
    assert partner is not None
    assert own is not None
    session = sessions.open_partner_session(partner, by=SWEEP, why="test")
    assert session.msn is None
    with pytest.raises(OurDefect):
        payments.read_payment(session, "BGO-20261101-9100")
    with pytest.raises(Misconfigured):
        sessions.open_partner_session(own, by=SWEEP, why="test")
