"""Releasing at the desk: offered where money is only reserved, confirmed once, and told in its own words until the end."""

import pytest
from pytest_django import Settings

from refunds.models import Refund, State
from stores.models import Order
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.desk_pages import Page, Till, hidden, signed_in, text_of
from tests.refunds.releases import BERGEN, cancels, releases_of, reserved, sums


@pytest.fixture
def till(chain: Chain) -> Till:
    """Kari in Oslo, at an order of 500 kr that Bergen has only reserved."""
    return Till(client=signed_in(chain.kari), order=reserved(chain))


def press(till: Till, *, reason: str = "not_delivered", key: str = "") -> Page:
    page = till.client.get(f"{till.path}release/")
    asked = {"reason": reason, "reason_text": "", "request_key": key or hidden(page, "request_key")}
    return till.client.post(f"{till.path}release/", asked)


def test_an_order_that_is_only_reserved_offers_its_release(till: Till) -> None:
    said = text_of(till.open())
    assert "NOK 500.00 reserved, not taken" in said
    assert "Release the reservation" in said
    assert "The store has taken the money since? Refund it" in said


def test_other_orders_offer_none(chain: Chain) -> None:
    till = Till(client=signed_in(chain.kari), order=chain.sold(chain.bergen, "BGO-20261101-8831", 50_000))
    assert "Release the reservation" not in text_of(till.open())
    page = till.client.get(f"{till.path}release/")
    assert page.status_code == 409
    assert "Vipps has not shown that money is reserved for this order" in text_of(page)


def test_the_confirmation_says_that_all_of_it_goes_and_asks_for_nothing_yet(till: Till) -> None:
    said = text_of(till.client.get(f"{till.path}release/"))
    assert "All that is reserved is released: NOK 500.00. Nothing was taken from the customer" in said
    assert "Sold by Nordlys Bergen" in said
    assert "Release NOK 500.00" in said
    assert releases_of(till.order) == []


def test_kari_releases_bergens_reservation_and_a_second_press_is_the_same_release(chain: Chain, till: Till) -> None:
    key = "0" * 32
    first, second = press(till, key=key), press(till, key=key)
    [release] = releases_of(till.order)
    assert first["Location"] == second["Location"] == f"/desk/refunds/{release.pk}/"
    waiting = text_of(till.client.get(first["Location"]))
    assert "Queued The release is accepted." in waiting
    assert "Release under way" in waiting
    assert "NOK 500.00 being released now in Nordlys Oslo" in text_of(till.open())
    run(release)
    done = till.client.get(first["Location"])
    assert "Released Vipps has let the whole reservation go." in text_of(done)
    assert "Release receipt" in text_of(done)
    assert "Released, never taken NOK 500.00" in text_of(done)
    assert "hx-get" not in done.content.decode().partition("<main")[2], "it has ended: only the strip above may go on looking"
    assert sums(chain, till.order) == (50_000, 0, 50_000)
    after = text_of(till.open())
    assert "The reservation is released, or being released now." in after
    assert "Release the reservation" not in after


def test_a_page_without_a_reason_asks_again_and_nothing_is_accepted(till: Till) -> None:
    assert press(till, reason="").status_code == 400
    assert press(till, reason="other").status_code == 400
    assert releases_of(till.order) == []


def test_what_was_taken_meanwhile_is_said_and_can_be_refunded(chain: Chain, till: Till) -> None:
    where = press(till)["Location"]
    chain.simulator.portal_capture(BERGEN, till.order.reference, 50_000)
    run(releases_of(till.order)[0])
    said = text_of(till.client.get(where))
    assert "Not released The money has been taken, so it can no longer be released." in said
    assert "NOK 500.00 left of NOK 500.00" in text_of(till.open())
    assert cancels(chain) == []


def test_while_a_refund_is_under_way_no_release_is_offered(chain: Chain, till: Till) -> None:
    ask(till.order, 10_000, who=chain.kari, store=chain.oslo)
    assert "Release the reservation" not in text_of(till.open())
    page = till.client.get(f"{till.path}release/")
    assert (page.status_code, releases_of(till.order)) == (409, [])


def test_above_the_limit_the_page_says_so_and_mona_allows_it(chain: Chain, till: Till, settings: Settings) -> None:
    settings.APPROVAL_ABOVE_MINOR = {"NOK": 49_999}
    assert "Another person has to allow it first." in text_of(till.client.get(f"{till.path}release/"))
    where = press(till)["Location"]
    mona = signed_in(chain.mona)
    assert "Approve NOK 500.00" in text_of(mona.get(where))
    mona.post(f"{where}decision/", {"decision": "approve"})
    assert Refund.objects.get(kind="release").state == State.QUEUED


def test_an_order_that_only_vipps_told_of_is_not_called_refunded(chain: Chain, till: Till) -> None:
    Order.objects.filter(pk=till.order.pk).update(captured_minor=0)
    said = text_of(till.open())
    assert "Release the reservation" in said
    assert "All of it has been refunded" not in said
    chain.sold(chain.bergen, "BGO-20261102-8801", 50_000)
    assert "Reserved, not taken" in text_of(till.client.get("/desk/", {"q": "8801"}))


def test_a_refused_refund_of_such_an_order_points_to_the_release(chain: Chain, till: Till) -> None:
    refund = Refund.objects.get(order=till.order)
    assert refund.outcome == "not_captured"
    assert "release it from the order's page" in text_of(till.client.get(f"/desk/refunds/{refund.pk}/"))


def test_per_sees_no_release_page(chain: Chain, till: Till) -> None:
    assert signed_in(chain.per).get(f"{till.path}release/").status_code == 403
