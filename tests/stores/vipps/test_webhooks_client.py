"""Webhook registrations: made, listed and deleted, for one unit or for all of a partner's."""

import pytest

from stores.vipps.errors import Misconfigured, OurDefect, Unsure
from stores.vipps.webhooks import PAYMENT_EVENTS, Registration, Webhooks
from tests.stores.vipps.canned import told
from tests.stores.vipps.recorded import partner, unit
from tests.stores.vipps.world import BERGEN, World, answer

ID = "497f6eca-6276-4993-bfeb-53cbbbba6f08"
URL = "https://hub.example.com/vipps/hooks/1"
NEW = {"id": ID, "secret": "a-secret"}


def test_a_registration_is_made_for_the_unit_and_shows_its_secret_once(world: World) -> None:
    session, recorder = unit(world, told(NEW, 201))
    made = Webhooks(session).register(URL)
    assert (made.id, made.secret) == (ID, "a-secret")
    assert "a-secret" not in repr(made)
    assert (recorder.call.method, recorder.call.path) == ("POST", "/webhooks/v1/webhooks")
    assert recorder.body == {"url": URL, "events": list(PAYMENT_EVENTS)}
    assert recorder.call.headers["Merchant-Serial-Number"] == BERGEN


def test_a_partner_registers_for_all_its_units_by_naming_none(world: World) -> None:
    session, recorder = partner(world, told(NEW, 201))
    Webhooks(session).register(URL, ["epayments.payment.refunded.v1"])
    assert "Merchant-Serial-Number" not in recorder.call.headers
    assert recorder.call.headers["Ocp-Apim-Subscription-Key"] == world.keys["chain"].subscription_key


def test_registrations_are_listed(world: World) -> None:
    session, recorder = unit(world, told({"webhooks": [{"id": ID, "url": URL, "events": ["a", "b"]}]}))
    assert Webhooks(session).list() == (Registration(id=ID, url=URL, events=("a", "b")),)
    assert (recorder.call.method, recorder.call.path) == ("GET", "/webhooks/v1/webhooks")


def test_a_registration_is_deleted(world: World) -> None:
    session, recorder = unit(world, answer(204))
    Webhooks(session).delete(ID)
    assert (recorder.call.method, recorder.call.path) == ("DELETE", f"/webhooks/v1/webhooks/{ID}")


@pytest.mark.parametrize(
    "url",
    [
        "http://hub.example.com/",
        "https://localhost/",
        "https:///x",
        "https://hub.example.com:8443/",
        "https://hub.example.com:x/",
        "hub",
    ],
)
def test_an_address_that_vipps_does_not_deliver_to_is_not_sent(world: World, url: str) -> None:
    session, recorder = unit(world)
    with pytest.raises(OurDefect):
        Webhooks(session).register(url)
    with pytest.raises(OurDefect):
        Webhooks(session).register(URL, [])
    assert recorder.requests == []


@pytest.mark.parametrize("name", ["", "1", "../x", f"{ID}/x"])
def test_what_is_no_id_never_becomes_a_path(world: World, name: str) -> None:
    session, recorder = unit(world)
    with pytest.raises(OurDefect):
        Webhooks(session).delete(name)
    assert recorder.requests == []


@pytest.mark.parametrize("body", [{}, [], {"id": ID}, {"id": "1", "secret": "s"}, {"id": ID, "secret": ""}])
def test_a_registration_that_cannot_be_read_is_unsure(world: World, body: object) -> None:
    session, _ = unit(world, told(body, 201))
    with pytest.raises(Unsure):
        Webhooks(session).register(URL)


@pytest.mark.parametrize(
    "body", [{}, {"webhooks": {}}, {"webhooks": [{}]}, {"webhooks": [{"id": ID, "url": URL, "events": [1]}]}]
)
def test_a_list_that_cannot_be_read_is_unsure_and_not_empty(world: World, body: object) -> None:
    session, _ = unit(world, told(body))
    with pytest.raises(Unsure):
        Webhooks(session).list()


def test_a_refused_address_names_the_field(world: World) -> None:
    problem = {"title": "Bad", "extraDetails": [{"name": "url", "reason": "not reachable"}], "traceId": "t-1"}
    session, _ = unit(world, told(problem, 400), told({"title": "Gone"}, 404))
    with pytest.raises(OurDefect) as caught:
        Webhooks(session).register(URL)
    assert (caught.value.detail, caught.value.trace_id) == ("Bad; url: not reachable", "t-1")
    with pytest.raises(Misconfigured):
        Webhooks(session).delete(ID)
