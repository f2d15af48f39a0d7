"""The Report API in the simulator: ledgers, entries by date and as a feed, balances, and who may read them."""

from datetime import UTC, datetime, timedelta

import pytest

from stores.vipps.simulator import SeededPayment
from stores.vipps.simulator.report import PAGE
from tests.stores.vipps.calling import Caller, caller, sign_in, sign_in_specially
from tests.stores.vipps.world import BERGEN, NOON, ORDER, OSLO, TRONDHEIM, World

FEED = f"/report/v2/ledgers/3{BERGEN}/funds/feed"
DATES = f"/report/v2/ledgers/3{BERGEN}/funds/dates"
TODAY = datetime.fromtimestamp(NOON, UTC).date().isoformat()
YESTERDAY = (datetime.fromtimestamp(NOON, UTC) - timedelta(days=1)).date().isoformat()


@pytest.fixture
def shop(world: World) -> Caller:
    return caller(world)


def _accountant(world: World, *msns: str) -> Caller:
    keys = world.simulator.add_accountant("books", msns)
    return Caller(simulator=world.simulator, keys=keys, msn=None, is_special=True)


def test_captures_and_refunds_of_every_kind_are_in_the_feed(world: World, shop: Caller) -> None:
    shop.refund(ORDER, 1_000, key="k")
    world.simulator.portal_refund(BERGEN, ORDER, 500)
    world.simulator.add_payment(BERGEN, "abc", amount_minor=700, api="ecom")
    shop.ecom("refund", "abc", amount=200)
    told = shop.call("GET", FEED).json
    assert [(entry["entryType"], entry["reference"], entry["amount"], entry["balanceAfter"]) for entry in told["items"]] == [
        ("capture", ORDER, 10_000, 10_000),
        ("refund", ORDER, -1_000, 9_000),
        ("refund", ORDER, -500, 8_500),
        ("capture", "abc", 700, 9_200),
        ("refund", "abc", -200, 9_000),
    ]
    event = shop.call("GET", f"/epayment/v1/payments/{ORDER}/events").json[3]
    assert told["items"][1]["pspReference"] == event["pspReference"]
    assert told["items"][1]["recipientHandle"] == f"api:{BERGEN}"
    assert told["tryLater"] is True


def test_the_feeds_cursor_goes_on_where_it_ended(world: World, shop: Caller) -> None:
    first = shop.call("GET", FEED).json
    again = shop.call("GET", f"{FEED}?cursor={first['cursor']}").json
    assert again["items"] == []
    assert again["cursor"]
    shop.refund(ORDER, 1_000, key="k")
    later = shop.call("GET", f"{FEED}?cursor={again['cursor']}").json
    assert [entry["amount"] for entry in later["items"]] == [-1_000]
    assert shop.call("GET", f"{FEED}?cursor=nonsense").status == 400


def test_a_page_holds_a_thousand_and_says_that_there_is_more(world: World, shop: Caller) -> None:
    world.simulator.add_payments(
        SeededPayment(
            msn=BERGEN,
            reference=f"many-{number:05}",
            amount_minor=100,
            captured_minor=100,
            refunded_minor=0,
            currency="NOK",
            paid_at=NOON - 86_400,
            metadata={},
        )
        for number in range(PAGE)
    )
    first = shop.call("GET", f"{DATES}/{YESTERDAY}").json
    assert (len(first["items"]), first["hasMore"], first["tryLater"]) == (PAGE, True, False)
    rest = shop.call("GET", f"{DATES}/{YESTERDAY}?cursor={first['cursor']}").json
    assert (len(rest["items"]), rest["hasMore"], "cursor" in rest) == (1, False, False)
    fed = shop.call("GET", FEED).json
    assert (len(fed["items"]), fed["tryLater"]) == (PAGE, False)
    assert len(shop.call("GET", f"{FEED}?cursor={fed['cursor']}").json["items"]) == 1


@pytest.mark.parametrize(("not_ready", "status"), [("try_later", 200), ("not_found", 404)])
def test_a_day_that_is_not_over(world: World, shop: Caller, not_ready: str, status: int) -> None:
    world.simulator.change_switches(report_not_ready=not_ready)
    told = shop.call("GET", f"{DATES}/{TODAY}")
    assert told.status == status
    assert status == 404 or told.json["tryLater"] is True
    world.simulator.move_clock(timedelta(days=1))
    shop = caller(world)
    assert shop.call("GET", f"{DATES}/{TODAY}").json == {"items": [], "hasMore": False, "tryLater": False}


def test_entries_may_come_late(world: World, shop: Caller) -> None:
    world.simulator.change_switches(report_lag=30.0)
    shop.refund(ORDER, 1_000, key="k")
    assert len(shop.call("GET", FEED).json["items"]) == 1
    world.simulator.move_clock(timedelta(seconds=30))
    assert len(shop.call("GET", FEED).json["items"]) == 2


@pytest.mark.parametrize("name", ["payout-scheduled", "scheduled-for-payout"])
def test_a_payout_is_what_is_left_after_fees(world: World, shop: Caller, name: str) -> None:
    world.simulator.change_switches(payout_entry=name)
    assert world.simulator.pay_out(BERGEN) == 10_000 - 175
    funds = shop.call("GET", FEED).json["items"]
    assert [(entry["entryType"], entry["amount"]) for entry in funds[1:]] == [("fees-retained", -175), (name, -9_825)]
    fees = shop.call("GET", FEED.replace("funds", "fees")).json["items"]
    assert [(entry["entryType"], entry["amount"]) for entry in fees] == [("capture-fee", -175), ("fees-retained", 175)]
    shop.refund(ORDER, 1_000, key="k")
    assert shop.call("GET", FEED).json["items"][-1]["balanceAfter"] == -1_000


def test_a_dispute_is_only_in_the_report(world: World, shop: Caller) -> None:
    before = shop.call("GET", f"/epayment/v1/payments/{ORDER}").json
    world.simulator.dispute(BERGEN, ORDER, 4_000)
    world.simulator.dispute(BERGEN, ORDER, 4_000, is_won=True)
    entries = shop.call("GET", FEED).json["items"][1:]
    assert [(entry["entryType"], entry["amount"]) for entry in entries] == [
        ("retained-disputed-capture", -4_000),
        ("returned-disputed-capture", 4_000),
    ]
    assert shop.call("GET", f"/epayment/v1/payments/{ORDER}").json == before


def test_ledgers_name_the_units_they_settle_for(world: World) -> None:
    for msn in (BERGEN, OSLO):
        world.simulator.add_sales_unit(msn, keys=world.keys[msn], ledger="302321")
    world.simulator.add_payment(OSLO, ORDER, amount_minor=500)
    books = _accountant(world, BERGEN, OSLO)
    (ledger,) = books.call("GET", "/settlement/v1/ledgers").json["items"]
    assert (ledger["ledgerId"], ledger["settlesForRecipientHandles"]) == ("302321", [f"api:{BERGEN}", f"api:{OSLO}"])
    entries = books.call("GET", "/report/v2/ledgers/302321/funds/feed").json["items"]
    assert [(entry["recipientHandle"], entry["balanceAfter"]) for entry in entries] == [
        (f"api:{BERGEN}", 10_000),
        (f"api:{OSLO}", 10_500),
    ]


def test_ledgers_can_be_asked_for_by_sales_unit(world: World) -> None:
    books = _accountant(world, BERGEN, OSLO)
    told = books.call("GET", f"/settlement/v1/ledgers?settlesForRecipientHandles=api:{OSLO}").json
    assert [ledger["ledgerId"] for ledger in told["items"]] == [f"3{OSLO}"]
    assert told["cursor"] == ""


def test_own_keys_read_their_own_ledger_only(world: World) -> None:
    assert caller(world, OSLO).call("GET", FEED).status == 404
    assert [entry["ledgerId"] for entry in caller(world).call("GET", "/settlement/v1/ledgers").json["items"]] == [f"3{BERGEN}"]


def test_partner_keys_do_not_open_reports_and_accounting_keys_open_nothing_else(world: World) -> None:
    assert caller(world, TRONDHEIM, keys=world.keys["chain"]).call("GET", "/settlement/v1/ledgers").status == 403
    books = _accountant(world, BERGEN)
    assert books.call("GET", FEED).status == 200
    assert books.call("GET", f"/epayment/v1/payments/{ORDER}").status == 401
    assert books.call("GET", "/management/v1/sales-units").status == 403
    assert sign_in(world.simulator, books.keys).status == 401


def test_the_special_token(world: World) -> None:
    keys = world.simulator.add_accountant("books", [BERGEN])
    told = sign_in_specially(world.simulator, keys).json
    assert (told["token_type"], told["expires_in"]) == ("Bearer", 900)
    refusals = (
        sign_in_specially(world.simulator, keys, form=b""),
        sign_in_specially(world.simulator, keys, ocp_apim_subscription_key=keys.subscription_key),
        sign_in_specially(world.simulator, keys, authorization="Basic bm86bm8="),
    )
    assert [(each.status, each.json) for each in refusals] == [
        (400, {"error": "invalid_client"}),
        (400, {"error": "invalid_client"}),
        (401, {"error": "invalid_client"}),
    ]
    books = Caller(simulator=world.simulator, keys=keys, msn=None, is_special=True)
    assert books.call("GET", FEED).status == 200
    world.simulator.move_clock(timedelta(seconds=900))
    assert books.call("GET", FEED).status == 401


def test_there_are_no_reports_in_the_test_environment(world: World, shop: Caller) -> None:
    shop.headers()
    world.simulator.change_switches(environment="test")
    assert shop.call("GET", FEED).status == 404
    assert shop.call("GET", "/management/v1/sales-units").status == 404
