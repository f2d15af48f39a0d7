"""The table of rights holds: every page and action of the desk, for everybody, whosever thing it is."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from refunds.desk import urls
from refunds.models import Outbox, Refund, ShiftNote
from stores import keys, people, pins, registry
from stores.models import AskedUnit, Entry, Order, Role, Store, User, VippsQuestion
from tests.conftest import Chain
from tests.refunds.asking import ask
from tests.refunds.desk_pages import signed_in
from tests.refunds.desk_rights import HEADQUARTERS, PLACES, PRINCIPALS, ROWS, Row

PIN = "730518"
STATUS = {"ok": (200, 204, 302), "no": (403,), "--": (404,), "in": (302,), "bad": (400,)}


@dataclass(frozen=True, kw_only=True)
class Thing:
    """What is asked for: an address, and what is sent there, None for a look."""

    path: str
    sent: dict[str, str] | None = None


@pytest.fixture
def places(chain: Chain) -> dict[str, Store]:
    """Oslo is her own, Bergen another, Hamar is closed since."""
    return {"own": chain.oslo, "other": chain.bergen, "closed": chain.hamar}


@pytest.fixture
def person(chain: Chain) -> Callable[[str], User]:
    """Somebody of that kind; Kari and Mona work in Oslo."""

    def person(principal: str) -> User:
        known = {"cashier": chain.kari, "manager": chain.mona, "per": chain.per}
        if principal in known:
            return known[principal]
        user = User.objects.create(username=principal, is_superuser=principal == "superuser", is_staff=principal == "superuser")
        if principal in HEADQUARTERS:
            people.join_headquarters(user, chain.company, role=Role(principal), by=chain.by)
        if principal == "of_a_closed_store":
            people.join_store(user, chain.hamar, role=Role.MANAGER, by=chain.by)
        return user

    return person


@pytest.fixture
def browser(chain: Chain, person: Callable[[str], User]) -> Callable[[str], Client]:
    """A browser of that principal."""

    def browser(principal: str) -> Client:
        if principal == "signed_out":
            return Client()
        if principal == "system":
            key = keys.issue_key(chain.systems["OSL"], by=chain.by)
            return Client(headers={"authorization": f"Bearer {key.text}"})
        return signed_in(person(principal))

    return browser


class Things:
    """Makes what a row is about, anew for each that asks."""

    def __init__(self, chain: Chain, places: dict[str, Store]) -> None:
        self.chain, self.places = chain, places
        self._made = 0
        self.liv = User.objects.create(username="liv")
        for store in places.values():
            people.join_store(self.liv, store, role=Role.CASHIER, by=chain.by)

    def order(self, store: Store, *, captured: bool = True) -> Order:
        self._made += 1
        order = self.chain.sold(store, f"{store.code}-{self._made:06}", 100_000, captured=captured)
        if not captured:
            Order.objects.filter(pk=order.pk).update(captured_minor=0, uncaptured_seen_minor=100_000)
        return order

    def refund(self, store: Store, who: User) -> Refund:
        """One that waits for a yes; sold by the store that made it, so that no other has a part in it."""
        with override_settings(APPROVAL_ABOVE_MINOR={"NOK": 1}):
            return ask(self.order(store), 10_000, who=who, store=store).refund

    def question(self, who: User) -> VippsQuestion:
        question = VippsQuestion.objects.create(
            company=self.chain.company, reference="BER-1000-1", from_store=self.chain.oslo, user=who
        )
        AskedUnit.objects.create(question=question, sales_unit=self.chain.units["BGO"])
        return question

    def _at_the_till(self, who: User) -> dict[str, str]:
        """What she types there: a PIN that is hers."""
        pins.choose(who, PIN, by=self.chain.by)
        return {"pin": PIN, "again": PIN}

    def make(self, row: Row, place: str, asker: User) -> Thing:
        store = self.places[place]
        if row.url in ("find", "today", "stores", "store-names", "under-way", "approvals", "approvals-count"):
            return Thing(
                path=reverse(f"desk:{row.url}"), sent={"store": str(store.public_id)} if row.sends == "choose" else None
            )
        if row.url in ("pin", "lock", "here", "locked", "leave"):
            return Thing(path=reverse(f"desk:{row.url}"), sent=self._at_the_till(asker) if row.sends else None)
        if row.url == "allow-here":
            pin, refund = self._at_the_till(self.chain.mona)["pin"], self.refund(store, self.liv)
            given = {"manager": str(self.chain.mona.public_id), "pin": pin, "seen": refund.fingerprint}
            return Thing(path=reverse("desk:allow-here", args=[refund.pk]), sent=given)
        if row.url.startswith("elsewhere"):  # always of the store she works in
            return Thing(path=reverse(f"desk:{row.url}"), sent={"until": "2026-11-01T00:00:00Z"} if row.sends else None)
        if row.url == "shift-taken":
            note = ShiftNote.objects.create(store=store, text="Bjarne comes back.", left_by=self.liv, press=uuid.uuid4().hex)
            return Thing(path=reverse("desk:shift-taken", args=[note.pk]), sent={})
        if row.url.startswith("shift"):
            note_of_hers = {"note": "Bjarne comes back.", "press": uuid.uuid4().hex}
            return Thing(path=reverse(f"desk:{row.url}"), sent=note_of_hers if row.sends else None)
        if row.url == "ask-vipps":
            return Thing(path=reverse("desk:ask-vipps"), sent={"reference": f"{store.code}-1000-1", "store": store.code})
        if row.url.startswith("look-up"):
            question = self.question(asker if place == "own" else self.liv)
            return Thing(path=reverse(f"desk:{row.url}", args=[question.public_id]))
        if row.url == "receipt":
            path = reverse("desk:receipt", args=[self.refund(store, self.liv).pk])
            return Thing(path=path, sent={"as": row.sends} if row.sends else None)
        if row.url in ("refund", "progress", "decide"):
            # only who asked for it may take it back, and never says yes to it herself
            refund = self.refund(store, asker if row.sends == "cancel" and place == "own" else self.liv)
            sent = {"decision": row.sends, "note": "no receipt"} if row.sends else None
            return Thing(path=reverse(f"desk:{row.url}", args=[refund.pk]), sent=sent)
        order = self.order(store, captured=row.url != "release")
        wish = {"amount": "10", "reason": "returned", "reason_text": "", "request_key": uuid.uuid4().hex}
        return Thing(path=reverse(f"desk:{row.url}", args=[order.public_id]), sent=wish if row.sends else None)


def test_every_address_of_the_desk_has_a_row() -> None:
    assert {pattern.name for pattern in urls.urlpatterns} == {row.url for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.url}-{row.sends or 'look'}")
def test_the_table_of_rights_holds(
    chain: Chain, places: dict[str, Store], browser: Callable[[str], Client], row: Row
) -> None:
    things = Things(chain, places)
    wanted: dict[tuple[str, str], Thing] = {}
    for place in PLACES:
        nobodys = things.make(row, place, chain.kari)  # whoever is refused leaves it as it is, so one does for all of them
        kinds = {"cashier": things.make(row, place, chain.kari), "manager": things.make(row, place, chain.mona)}
        wanted |= {(principal, place): kinds.get(principal, nobodys) for principal in PRINCIPALS}
    browsers = {principal: browser(principal) for principal in PRINCIPALS}
    registry.close_store(chain.hamar, reason="sold", by=chain.by)
    for (principal, place), thing in wanted.items():
        expected, client, before = row.expected(principal, place), browsers[principal], _moved()
        answer = client.get(thing.path) if thing.sent is None else client.post(thing.path, thing.sent)
        said = f"{principal}, {place}: {answer.status_code} {answer.headers.get('Location', '')}"
        assert answer.status_code in STATUS[expected], said
        assert answer.headers.get("Location", "").startswith("/accounts/login/") == (expected == "in"), said
        if expected != "ok":
            assert _moved() == before, f"{said}, and yet something moved"


def _moved() -> tuple[int, int, list[str]]:
    """What must stay as it is when somebody is refused."""
    states = list(Refund.objects.order_by("pk").values_list("state", flat=True))
    return Outbox.objects.count(), Entry.objects.count(), states
