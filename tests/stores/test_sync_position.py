"""A system that died knows where to go on: the cursor of its last batch, kept with that batch."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.utils.dateparse import parse_datetime

from stores import keys, orders
from stores.errors import Conflict
from stores.models import Order, Scope, SyncPosition
from tests.conftest import Chain
from tests.till import YESTERDAY, Till, problem, row


@pytest.fixture
def bergen(chain: Chain) -> Till:
    return Till(chain.systems["BGO"])


def sync(till: Till, *rows: dict[str, Any], **marks: str) -> Any:
    query = "&".join(f"{name}={value}" for name, value in marks.items())
    return till.post(f"orders?{query}", {"orders": list(rows)})


def position(till: Till, **query: str) -> dict[str, Any]:
    response = till.get("orders/sync-position", query)
    assert response.status_code == 200, response.content
    found: dict[str, Any] = response.json()
    return found


def test_nothing_came_yet(bergen: Till) -> None:
    assert position(bergen) == {"sync_stream": "", "sync_cursor": "", "rows": 0, "synced_at": None}
    assert SyncPosition.objects.count() == 0


def test_the_cursor_of_the_last_batch_is_read_back(bergen: Till) -> None:
    assert sync(bergen, row("BER-10042"), row("!"), sync_cursor="day-1:00042").status_code == 200
    assert sync(bergen, row("BER-10043"), sync_cursor="day-1:00043").status_code == 200
    assert sync(bergen, row("BER-10044")).status_code == 200
    found = position(bergen)
    moment = parse_datetime(found.pop("synced_at"))
    assert moment is not None
    assert moment > YESTERDAY
    assert found == {"sync_stream": "", "sync_cursor": "day-1:00043", "rows": 1}


def test_streams_and_systems_have_positions_of_their_own(bergen: Till, chain: Chain) -> None:
    sync(bergen, row("BER-10042"), sync_cursor="a", sync_stream="till-1")
    sync(bergen, row("BER-10043"), sync_cursor="b", sync_stream="till-2")
    other = Till(keys.add_system(chain.bergen, name="Web shop", scopes=[Scope.ORDERS_WRITE], by=chain.by))
    sync(other, row("BER-10044"), sync_cursor="c", sync_stream="till-1")
    assert [position(till, sync_stream=stream)["sync_cursor"] for till, stream in (
        (bergen, "till-1"), (bergen, "till-2"), (bergen, ""), (other, "till-1"), (other, "till-2"),
    )] == ["a", "b", "", "c", ""]  # fmt: skip


def test_a_batch_that_does_not_follow_is_refused_whole_and_told_what_stands(bergen: Till) -> None:
    assert sync(bergen, row("BER-10042"), sync_cursor="1", sync_after="").status_code == 200
    assert sync(bergen, row("BER-10043"), sync_cursor="2", sync_after="1").status_code == 200
    for after in ("1", ""):
        found = problem(sync(bergen, row("BER-10044"), sync_cursor="3", sync_after=after), 409, "sync_position_moved")
        assert found["facts"] == {"sync_cursor": "2"}
    problem(sync(bergen, row("BER-10044"), sync_cursor="3", sync_after="2", sync_stream="new"), 409, "sync_position_moved")
    assert Order.objects.count() == 2
    assert SyncPosition.objects.get().cursor == "2"


def test_a_batch_that_is_refused_whole_moves_nothing(bergen: Till) -> None:
    sync(bergen, row("BER-10042"), sync_cursor="1")
    problem(bergen.post("orders?sync_cursor=2", b"{"), 400, "truncated_json")
    assert position(bergen)["sync_cursor"] == "1"


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("sync_stream=till-1", "sync_cursor", "required"),
        ("sync_after=1", "sync_cursor", "required"),
        ("sync_cursor=", "sync_cursor", "blank"),
        ("sync_cursor=" + "x" * 201, "sync_cursor", "max_length"),
        ("sync_cursor=%00", "sync_cursor", "null_characters_not_allowed"),
        ("sync_cursor=1&sync_stream=till%201", "sync_stream", "invalid"),
        ("cursor=1", "cursor", "unknown_field"),
    ],
)
def test_a_wrong_mark_is_refused_by_its_field(bergen: Till, query: str, field: str, code: str) -> None:
    found = problem(bergen.post(f"orders?{query}", {"orders": [row("BER-10042")]}), 400, code)
    assert [(error["field"], error["code"]) for error in found["errors"]] == [(field, code)]
    assert Order.objects.count() == 0


def test_who_may_not_sync_reads_no_position(chain: Chain) -> None:
    reader = Till(keys.add_system(chain.bergen, name="Narrow", scopes=[Scope.ORDERS_READ], by=chain.by))
    problem(reader.get("orders/sync-position"), 403, "forbidden")


@pytest.mark.django_db(transaction=True)
def test_of_two_batches_that_follow_the_same_one_only_one_is_taken(chain: Chain) -> None:
    gate = threading.Barrier(2)
    ends: list[str] = []

    def send(number: int) -> None:
        try:
            gate.wait(timeout=10)
            order = orders.OrderRow(
                reference=f"BER-{number}", amount=orders.AmountRow(amount_minor=100, currency="NOK"), paid_at=YESTERDAY
            )
            mark = orders.Mark(cursor=str(number), after="")
            orders.index_orders([order], system=chain.systems["BGO"], mark=mark, by=chain.by)
            ends.append(str(number))
        except Conflict as refusal:
            ends.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert "sync_position_moved" in ends
    assert SyncPosition.objects.get().cursor in ends
    assert Order.objects.count() == 1
