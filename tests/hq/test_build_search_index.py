"""The indexes behind search: built where they lack or are broken, while others write, and said plainly where they cannot be."""

import threading
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from hq.management.commands import build_search_index
from refunds.tasks import merge_search_index
from stores.models import Order
from stores.search import find_orders, indexes
from stores.search.indexes import TRIGRAM_INDEX, Standing
from tests.conftest import Chain

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_trigram_index_is_left() -> Iterator[None]:
    yield
    _run(f"DROP INDEX IF EXISTS {TRIGRAM_INDEX}")


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_fragments_are_found_with_and_without_the_index(chain: Chain, capsys: pytest.CaptureFixture[str]) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 10_000)
    can = indexes.can("pg_trgm")
    call_command("build_search_index")
    call_command("build_search_index", "--vacuum", "--warm")
    said = capsys.readouterr().out
    assert ("The trigram index stands." in said) is can
    assert ("The indexes are in memory" in said) is indexes.can("pg_prewarm")
    assert "The orders are vacuumed and counted" in said
    assert (indexes.standing(TRIGRAM_INDEX) == Standing.STANDS) is can
    found = find_orders("1101-77", asker=chain.kari)
    assert [hit.order.pk for hit in found.hits] == [order.pk]


def test_what_is_missing_or_was_left_broken_is_built(chain: Chain, capsys: pytest.CaptureFixture[str]) -> None:
    names = [index.name for index in Order._meta.indexes]
    assert {indexes.standing(name) for name in names} == {Standing.STANDS}
    _run("DROP INDEX order_newest")
    _run("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'order_store_newest'::regclass")
    assert [indexes.standing(name) for name in ("order_newest", "order_store_newest")] == [Standing.MISSING, Standing.BROKEN]
    call_command("build_search_index")
    assert {indexes.standing(name) for name in names} == {Standing.STANDS}
    said = capsys.readouterr().out
    assert "order_store_newest was left broken: it is dropped and built anew." in said
    assert "order_newest is built: " in said
    assert "order_ref_key stands, " in said


def test_an_order_can_be_written_while_an_index_is_built(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """The build waits for a transaction that is open; a write during that wait goes through, and progress is told."""
    _run("DROP INDEX order_newest")
    monkeypatch.setattr(build_search_index, "_EVERY_SECONDS", 0.1)
    told: list[str] = []
    progress = indexes.progress
    waits = threading.Event()

    def note() -> str:
        line = progress()
        told.append(line)
        if "waiting for" in line:
            waits.set()
        return line

    monkeypatch.setattr(indexes, "progress", note)

    def build() -> None:
        try:
            call_command("build_search_index")
        finally:
            connections.close_all()

    builder = threading.Thread(target=build)
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 10_000)
    with transaction.atomic():
        Order.objects.filter(pk=order.pk).update(receipt_number="1")
        builder.start()
        assert waits.wait(20), told
        Order.objects.filter(pk=order.pk).update(receipt_number="2")
    builder.join(60)
    assert indexes.standing("order_newest") == Standing.STANDS
    assert Order.objects.get(pk=order.pk).receipt_number == "2"


def test_two_never_build_at_once(chain: Chain) -> None:
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with indexes.alone() as is_alone:
            assert is_alone
            taken.set()
            done.wait(30)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    assert taken.wait(20)
    try:
        with pytest.raises(CommandError, match="Somebody else"):
            call_command("build_search_index")
    finally:
        done.set()
        holder.join(20)
    call_command("build_search_index")


def test_the_timetable_empties_the_waiting_list(chain: Chain) -> None:
    call_command("build_search_index")
    for number in range(30):
        chain.sold(chain.bergen, f"BGO-20261101-{number:04}", 10_000)
    merge_search_index()
    assert indexes.merge_pending() == 0
    assert len(find_orders("1101-00", asker=chain.kari).hits) == 20
