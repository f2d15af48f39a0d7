"""One-time QR codes: what is asked for, and what comes back."""

import pytest

from stores.vipps.errors import OurDefect, Unauthorized, Unsure, VippsError
from stores.vipps.qr import Picture, Qr
from tests.stores.vipps.canned import told
from tests.stores.vipps.recorded import unit
from tests.stores.vipps.world import BERGEN, World

LANDING = "https://api.vipps.no/dwo-api-application/v1/deeplink/vippsgateway?v=2&token=eyJ"
MADE = {"url": "https://qr.vipps.no/generate/qr.svg?size=1024", "expiresIn": 600}


def test_a_code_is_made_for_ecoms_address(world: World) -> None:
    session, recorder = unit(world, told(MADE))
    made = Qr(session).one_time(LANDING)
    assert (made.url, made.expires_in) == (MADE["url"], 600)
    assert (recorder.call.method, recorder.call.path, recorder.body) == ("POST", "/qr/v1", {"url": LANDING})
    assert recorder.call.headers["Accept"] == "image/svg+xml"
    assert recorder.call.headers["Merchant-Serial-Number"] == BERGEN
    assert "Size" not in recorder.call.headers


def test_a_png_may_have_a_size(world: World) -> None:
    session, recorder = unit(world, told(MADE))
    Qr(session).one_time(LANDING, picture=Picture.PNG, size=500)
    assert (recorder.call.headers["Accept"], recorder.call.headers["Size"]) == ("image/png", "500")


@pytest.mark.parametrize(
    ("url", "picture", "size"),
    [
        ("http://api.vipps.no/x", Picture.SVG, None),
        ("", Picture.SVG, None),
        (LANDING, Picture.SVG, 500),
        (LANDING, Picture.PNG, 99),
        (LANDING, Picture.PNG, 2001),
    ],
)
def test_what_makes_no_code_is_not_sent(world: World, url: str, picture: Picture, size: int | None) -> None:
    session, recorder = unit(world)
    with pytest.raises(OurDefect):
        Qr(session).one_time(url, picture=picture, size=size)
    assert recorder.requests == []


@pytest.mark.parametrize("body", [{}, [], {"url": "x"}, {**MADE, "expiresIn": "600"}, {**MADE, "expiresIn": -1}])
def test_an_answer_that_cannot_be_read_is_unsure(world: World, body: object) -> None:
    session, _ = unit(world, told(body))
    with pytest.raises(Unsure):
        Qr(session).one_time(LANDING)


@pytest.mark.parametrize(
    ("status", "error"), [(400, OurDefect), (401, Unauthorized), (415, Unsure), (500, Unsure)]
)
def test_refusals_are_typed_and_keep_vipps_words(world: World, status: int, error: type[VippsError]) -> None:
    body = {"detail": "Payment has already timed out", "instance": "3cff3564-4a14-4481-8dbb-431087753eed"}
    session, _ = unit(world, told(body, status), told(body, status))
    with pytest.raises(error) as caught:
        Qr(session).one_time(LANDING)
    assert caught.value.detail == "Payment has already timed out"
    assert caught.value.trace_id == "3cff3564-4a14-4481-8dbb-431087753eed"
