"""The simulator's reading of HTTP: framing by length and by chunks, pieces of any size, and what is ambiguous."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores.vipps.simulator.control import Control
from stores.vipps.simulator.requests_in import MAX_BODY, MAX_HEAD, Arrival, BadRequest, RequestReader
from stores.vipps.simulator.simulator import Simulator
from stores.vipps.simulator.wire import Call

POST = b"POST /a%20b?x=1&y=%C3%B8 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nclient_id: me\r\n\r\nhello"
CHUNKED = (
    b"PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    b"3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\n\r\n"
)
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def read(*pieces: bytes) -> list[Arrival]:
    reader, arrived = RequestReader(is_local=True), []
    for piece in pieces:
        reader.feed(piece)
        arrived += list(reader.arrivals())
    return arrived


def test_requests_are_read_one_after_another() -> None:
    first, second, third = read(POST + CHUNKED + GET)
    assert (first.call.method, first.call.path, first.call.query) == ("POST", "/a b", {"x": "1", "y": "ø"})
    assert (first.call.body, first.call.headers["client_id"], first.keeps_open) == (b"hello", "me", True)
    assert (second.call.method, second.call.body, second.keeps_open) == ("PUT", b"hello", False)
    assert (third.call.method, third.call.body) == ("GET", b"")


@given(st.lists(st.integers(1, 60), max_size=40))
def test_pieces_of_any_size_make_the_same_requests(sizes: list[int]) -> None:
    stream, pieces = POST + CHUNKED + GET, []
    for size in sizes:
        pieces.append(stream[:size])
        stream = stream[size:]
    assert read(*pieces, stream) == read(POST + CHUNKED + GET)


@pytest.mark.parametrize(
    ("stream", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET noslash HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nbroken line\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nname : value\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", 400),
        (f"POST / HTTP/1.1\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n".encode(), 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabXX", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", 413),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * MAX_HEAD + b"\r\n\r\n", 431),
    ],
)
def test_what_is_ambiguous_or_too_large_is_refused(stream: bytes, status: int) -> None:
    with pytest.raises(BadRequest) as caught:
        read(stream)
    assert caught.value.status == status


def test_the_control_api_answers_this_machine_only_unless_opened() -> None:
    simulator = Simulator(base=lambda: 0.0)
    call = Call(method="GET", path="/_simulator/state", headers={}, is_local=False)
    assert Control(simulator).answer(call).status == 403
    assert Control(simulator, is_open=True).answer(call).status == 200


def test_the_control_api_is_not_part_of_the_application_in_process() -> None:
    call = Call(method="GET", path="/_simulator/state", headers={})
    assert Simulator().answer(call).status == 404
