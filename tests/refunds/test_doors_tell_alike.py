"""Whichever door a wish comes through, the trail tells the same of it, in the same chain; no door does money in bulk."""

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from django.test import RequestFactory

import hq
import refunds
from hq.admin.admin_site import site
from refunds.models import Refund
from stores import audit
from stores.models import Order
from tests.conftest import Chain
from tests.refunds import desk_pages
from tests.refunds.asking import run
from tests.refunds.asking_over_rest import ask, asking
from tests.till import Till

Door = Callable[[Chain, Order, Path], object]


def at_the_desk(chain: Chain, order: Order, _folder: Path) -> object:
    till = desk_pages.Till(client=desk_pages.signed_in(chain.kari), order=order)
    return till.refund(till.fill("100,00"))


def over_rest(chain: Chain, order: Order, _folder: Path) -> object:
    return ask(Till(chain.systems["OSL"]), asking(order, 10_000))


def over_rest_with_others(chain: Chain, order: Order, _folder: Path) -> object:
    wishes = [asking(order, 10_000, idempotency_key="r-1"), asking(order, 500_000, idempotency_key="r-2")]
    return Till(chain.systems["OSL"]).post("refunds/bulk", {"refunds": wishes})


def by_a_command(_chain: Chain, order: Order, folder: Path) -> object:
    path = folder / "returns.csv"
    header = "key,order_id,amount_minor,currency,reason,reason_text\n"
    path.write_text(f"{header}r-1,ord_{order.public_id.hex},10000,NOK,returned,\n")
    return call_command("request_refunds", str(path), "--as=kari", "--store=OSL", stdout=(folder / "told").open("w"))


DOORS: dict[str, tuple[Door, str]] = {
    "confirm_page.py": (at_the_desk, "person"),
    "views.py": (over_rest, "store_system"),
    "bulk.py": (over_rest_with_others, "store_system"),
    "importing.py": (by_a_command, "person"),
}
"""Each by the file that stands behind it, and what kind of asker comes through it."""


@pytest.mark.parametrize(("door", "kind"), DOORS.values(), ids=DOORS)
def test_the_same_wish_leaves_the_same_trail(chain: Chain, tmp_path: Path, door: Door, kind: str) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    door(chain, order, tmp_path)
    refund = Refund.objects.get()
    run(refund)
    entries = [(entry, json.loads(entry.canonical)) for entry in audit.timeline_of("refund", str(refund.pk))]
    assert {(entry.chain.store, entry.refunding_store) for entry, _told in entries} == {(chain.bergen, chain.oslo)}
    told = [(entry.event, entry.actor_kind, facts_of(canonical)) for entry, canonical in entries]
    money = {"amount": "100.00 NOK", "amount_minor": 10_000, "currency": "NOK"}
    wish = {"reference": "BGO-20261101-7741", "refunding": str(chain.oslo), "reason": "returned", "state": "queued"}
    judged = {"reason_label": "Goods returned", "policy": 0, "needs_approval_of": "", "breaches": []}
    name = {"refund": "BGO-20261101-7741 R1"}
    assert told == [
        ("refund.accepted", kind, {**name, **money, **wish, **judged}),
        ("refund.moved", "hub", {**name, **money, **moved("T5", "queued", "sending", "a worker took it", 0)}),
        ("refund.intended", "hub", {**name, **intended(chain)}),
        ("refund.moved", "hub", {**name, **money, **moved("T7", "sending", "refunded", "Vipps confirmed our amount", 1)}),
    ]
    actor = entries[0][1]["actor"]
    asker = chain.kari if kind == "person" else chain.systems["OSL"]
    assert (actor["id"], actor["name"], actor["store_id"]) == (str(asker.pk), str(asker), chain.oslo.pk)
    assert actor["request_id"]
    assert audit.verify().bad is None


def facts_of(canonical: dict[str, Any]) -> dict[str, Any]:
    """The facts of an entry but those that are made anew for every refund."""
    return {name: value for name, value in canonical["facts"].items() if name not in ("provider_key", "trace_id")}


def moved(move: str, before: str, after: str, because: str, attempt: int) -> dict[str, Any]:
    return {"move": move, "before": before, "after": after, "because": because, "attempt": attempt, "provider_code": ""}


def intended(chain: Chain) -> dict[str, Any]:
    key_set = chain.units["BGO"].key_set
    assert key_set is not None
    return {"attempt": 1, "generation": 0, "msn": "100002", "key_set": str(key_set), "key_version": key_set.version}


def test_there_is_no_other_door() -> None:
    asks_the_verb, asks_by_rest = set(), set()
    for path in (path for package in (refunds, hq) for path in sorted(Path(str(package.__file__)).parent.rglob("*.py"))):
        calls = [ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        if {"request_refund", "intake.request_refund"} & set(calls):
            asks_the_verb.add(path.name)
        if "ask" in calls and path.parent.name == "api":
            asks_by_rest.add(path.name)
    assert asks_the_verb == {"confirm_page.py", "asking.py", "importing.py"}
    assert (asks_the_verb - {"asking.py"}) | asks_by_rest == set(DOORS)


def test_nothing_at_headquarters_is_done_to_many_rows_at_once(chain: Chain) -> None:
    request = RequestFactory().get("/hq/")
    for asker in (chain.hanne, chain.mona, AnonymousUser()):
        request.user = asker
        for model, page in site._registry.items():
            assert page.actions is None, model
            assert page.get_actions(request) == {}, model
    assert not {model for model in admin.site._registry if model.__module__.startswith(("refunds.", "stores."))}
    assert Refund in site._registry
