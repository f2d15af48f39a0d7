"""The trail: what happens is chained in its own transaction, and whatever is changed afterwards is found and named."""

import hashlib
import json
import threading
from io import StringIO
from typing import Any

import pgtrigger
import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, close_old_connections, connection, transaction
from django.utils import translation

from stores import actors, audit, events
from stores.actors import Actor, ActorKind
from stores.audit import Subject
from stores.events import OrderOpened, SignedIn, StoreClosed, TrailEvent
from stores.models import Chain, Company, Entry, Store
from tests.stores.conftest import Ground, make_ground

ABOUT = Subject(type="thing", id="1")
KARI = Actor(kind=ActorKind.PERSON, id="7", name="Kari Ås", store_id=3, cashier="12", address="192.0.2.1", request_id="r-1")


def tell(store: Store, reason: str = "moved", by: Actor = KARI, refunding_store: Store | None = None) -> Entry:
    with transaction.atomic():
        event = StoreClosed(code=store.code, reason=reason)
        audit.record(event, by=by, company=store.company, store=store, about=ABOUT, refunding_store=refunding_store)
    return Entry.objects.latest("id")


def change(entry: Entry, **columns: Any) -> None:
    """What only somebody with the owner's rights to the database could do."""
    with pgtrigger.ignore():
        Entry.objects.filter(pk=entry.pk).update(**columns)


def test_an_entry_is_the_hash_of_its_number_its_text_and_the_entry_before_it(ground: Ground) -> None:
    before = Chain.objects.get(store=ground.oslo)
    entry = tell(ground.oslo, refunding_store=ground.bergen)
    digest = hashlib.sha256(entry.canonical.encode()).digest()
    number = (before.counter + 1).to_bytes(8, "big")
    assert (entry.counter, bytes(entry.previous)) == (before.counter + 1, bytes(before.head))
    assert bytes(entry.digest) == digest
    assert bytes(entry.hash) == hashlib.sha256(b"\x00" + bytes(before.head) + number + digest).digest()
    after = Chain.objects.get(store=ground.oslo)
    assert (after.counter, bytes(after.head)) == (entry.counter, bytes(entry.hash))


def test_the_text_is_canonical_and_tells_everything(ground: Ground) -> None:
    entry = tell(ground.oslo, refunding_store=ground.bergen)
    told = json.loads(entry.canonical)
    assert entry.canonical == json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert told == {
        "actor": {
            "address": "192.0.2.1",
            "cashier": "12",
            "id": "7",
            "kind": "person",
            "name": "Kari Ås",
            "request_id": "r-1",
            "store_id": 3,
        },
        "at": entry.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "chain": {"company": ground.company.pk, "store": str(ground.oslo.public_id)},
        "event": "store.closed",
        "facts": {"code": "OSL", "reason": "moved"},
        "refunding_store": {"code": "BGO", "id": str(ground.bergen.public_id)},
        "subject": {"id": "1", "type": "thing"},
    }


def test_each_store_and_headquarters_have_a_chain_of_their_own(ground: Ground) -> None:
    tell(ground.oslo)
    assert sorted(str(chain) for chain in Chain.objects.all()) == ["BGO", "HQ", "OSL", "TRD"]
    assert audit.verify().bad is None
    assert audit.verify().chains == 4
    assert audit.verify().entries == Entry.objects.count()


def test_one_company_can_be_verified_alone(ground: Ground) -> None:
    other = Company.objects.create(name="Other")
    with transaction.atomic():
        audit.record(SignedIn(person="Liv"), by=KARI, company=other, store=None, about=ABOUT)
    found = audit.verify(other)
    assert (found.entries, found.chains, found.bad) == (1, 1, None)


def test_nothing_is_recorded_outside_a_transaction(ground: Ground) -> None:
    before = Entry.objects.count()
    with pytest.raises(transaction.TransactionManagementError):
        audit.record(SignedIn(person="Liv"), by=KARI, company=ground.company, store=None, about=ABOUT)
    assert Entry.objects.count() == before


def test_an_event_outside_the_closed_list_is_refused(ground: Ground) -> None:
    class Surprise(TrailEvent):
        name = "surprise"
        sentence = "Surprise."

    with pytest.raises(ValueError, match="closed list"), transaction.atomic():
        audit.record(Surprise(), by=KARI, company=ground.company, store=None, about=ABOUT)


def test_a_store_of_another_company_is_refused(ground: Ground) -> None:
    other = Company.objects.create(name="Other")
    with pytest.raises(ValueError, match="another company"), transaction.atomic():
        audit.record(SignedIn(person="Liv"), by=KARI, company=other, store=ground.oslo, about=ABOUT)


def record_in(store: Store) -> None:
    audit.record(StoreClosed(code="X", reason="x"), by=KARI, company=store.company, store=store, about=ABOUT)


def write_together(*stores: Store) -> None:
    with transaction.atomic():
        for store in stores:
            with transaction.atomic():
                record_in(store)


def write_and_fail(store: Store) -> None:
    with transaction.atomic():
        record_in(store)
        raise RuntimeError


def test_a_transaction_writes_to_one_chain_only(ground: Ground) -> None:
    before = Entry.objects.count()
    write_together(ground.oslo, ground.oslo)
    with pytest.raises(transaction.TransactionManagementError):
        write_together(ground.oslo, ground.bergen)
    assert Entry.objects.count() == before + 2


def test_a_rolled_back_savepoint_frees_its_chain(ground: Ground) -> None:
    with transaction.atomic():
        with pytest.raises(RuntimeError):
            write_and_fail(ground.oslo)
        record_in(ground.bergen)
    assert audit.verify().bad is None


@transaction.atomic
def _record_decorated(store: Store) -> None:
    record_in(store)


@pytest.mark.django_db(transaction=True)
def test_the_next_transaction_may_write_to_another_chain() -> None:
    ground = make_ground()
    _record_decorated(ground.oslo)
    _record_decorated(ground.bergen)
    with pytest.raises(RuntimeError):
        write_and_fail(ground.oslo)
    _record_decorated(ground.trondheim)
    with pytest.raises(transaction.TransactionManagementError):
        write_together(ground.oslo, ground.bergen)
    _record_decorated(ground.bergen)
    assert audit.verify().bad is None


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_leave_one_unbroken_chain() -> None:
    company = Company.objects.create(name="Nordlys")
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(25):
                with transaction.atomic():
                    audit.record(SignedIn(person="Liv"), by=KARI, company=company, store=None, about=ABOUT)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    close_old_connections()
    assert failures == []
    found = audit.verify()
    assert (found.entries, found.chains, found.bad) == (100, 1, None)
    moments = list(Entry.objects.order_by("counter").values_list("at", flat=True))
    assert moments == sorted(moments)


def test_what_a_caller_typed_cannot_break_the_text(ground: Ground) -> None:
    for reason in ('"},"at":"2020"', "nul \0 in it", "lone \ud800 surrogate", "\\u0000 '; DROP", "%s %(now)s {code}", "￼"):
        entry = tell(ground.oslo, reason=reason, by=Actor(kind=ActorKind.PERSON, id="1", name="n\0" + "å" * 300))
        assert audit.facts_of(entry)["reason"] == reason
        assert audit.verify().bad is None


@pytest.mark.parametrize("statement", ["UPDATE stores_entry SET event = 'x'", "DELETE FROM stores_entry"])
def test_the_database_refuses_to_change_the_trail(ground: Ground, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="Cannot"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert audit.verify().bad is None


TAMPERED: dict[str, dict[str, Any]] = {
    "event": {"event": "store.opened"},
    "subject_type": {"subject_type": "other"},
    "subject_id": {"subject_id": "2"},
    "actor_kind": {"actor_kind": "hub"},
    "actor_id": {"actor_id": "8"},
    "actor_name": {"actor_name": "Per"},
    "digest": {"digest": bytes(32)},
    "previous": {"previous": bytes(32)},
    "hash": {"hash": bytes(32)},
    "counter": {"counter": 900},
}


@pytest.mark.parametrize("column", TAMPERED)
def test_a_changed_column_is_found_and_its_row_named(ground: Ground, column: str) -> None:
    entry, later = tell(ground.oslo), tell(ground.oslo)
    change(entry, **TAMPERED[column])
    bad = audit.verify().bad
    assert bad is not None
    assert (bad.chain, bad.counter) == ("OSL", entry.counter)
    assert bad.entry_id == (later.pk if column == "counter" else entry.pk)
    if column in ("event", "subject_type", "subject_id", "actor_kind", "actor_id", "actor_name"):
        assert bad.what == f"its columns disagree with its text: {column}"


def test_a_moved_time_or_refunding_store_is_found(ground: Ground) -> None:
    entry = tell(ground.oslo, refunding_store=ground.bergen)
    change(entry, refunding_store=ground.trondheim)
    bad = audit.verify().bad
    assert bad is not None
    assert bad.what == "its columns disagree with its text: refunding_store"
    change(entry, refunding_store=None, at=ground.oslo.opened_at)
    bad = audit.verify().bad
    assert bad is not None
    assert bad.what == "its columns disagree with its text: refunding_store, at"


def test_a_changed_text_is_found_even_with_a_new_digest(ground: Ground) -> None:
    entry = tell(ground.oslo)
    text = entry.canonical.replace("moved", "burnt")
    change(entry, canonical=text)
    first = audit.verify().bad
    assert first is not None
    assert first.what == "its text was changed, or its digest"
    change(entry, digest=hashlib.sha256(text.encode()).digest())
    second = audit.verify().bad
    assert second is not None
    assert (second.entry_id, second.what) == (entry.pk, "its hash is not the hash of what it says")


def test_a_text_that_is_no_entry_is_found(ground: Ground) -> None:
    entry = tell(ground.oslo)
    digest = hashlib.sha256(b"[]").digest()
    head = hashlib.sha256(b"\x00" + bytes(entry.previous) + entry.counter.to_bytes(8, "big") + digest).digest()
    change(entry, canonical="[]", digest=digest, hash=head)
    Chain.objects.filter(store=ground.oslo).update(head=head)
    bad = audit.verify().bad
    assert bad is not None
    assert (bad.entry_id, bad.what) == (entry.pk, "its text is not a trail entry")


def test_a_deleted_row_is_found_wherever_it_stood(ground: Ground) -> None:
    for _ in range(3):
        tell(ground.oslo)
    rows = list(Entry.objects.filter(chain__store=ground.oslo).order_by("counter"))
    for row in rows:
        with transaction.atomic():
            with pgtrigger.ignore():
                Entry.objects.filter(pk=row.pk).delete()
            bad = audit.verify().bad
            assert bad is not None
            assert (bad.chain, bad.counter) == ("OSL", row.counter)
            transaction.set_rollback(True)
    assert audit.verify().bad is None


def test_a_cut_tail_and_a_forged_one_are_found(ground: Ground) -> None:
    entry = tell(ground.oslo)
    Chain.objects.filter(store=ground.oslo).update(counter=entry.counter + 1)
    cut = audit.verify().bad
    assert cut is not None
    assert (cut.counter, cut.entry_id) == (entry.counter + 1, None)
    Chain.objects.filter(store=ground.oslo).update(counter=entry.counter - 1, head=entry.previous)
    forged = audit.verify().bad
    assert forged is not None
    assert (forged.counter, forged.entry_id) == (entry.counter, entry.pk)


def test_a_last_entry_rewritten_with_a_hash_that_fits_it_is_found_by_the_head(ground: Ground) -> None:
    entry = tell(ground.oslo)
    text = entry.canonical.replace("moved", "burnt")
    digest = hashlib.sha256(text.encode()).digest()
    number = entry.counter.to_bytes(8, "big")
    forged = hashlib.sha256(b"\x00" + bytes(entry.previous) + number + digest).digest()
    change(entry, canonical=text, digest=digest, hash=forged)
    bad = audit.verify().bad
    assert bad is not None
    assert (bad.entry_id, bad.what) == (entry.pk, "the chain's head is not its last entry")


@pytest.mark.parametrize("of_store", [True, False])
def test_a_chain_taken_away_whole_is_missed(ground: Ground, of_store: bool) -> None:
    tell(ground.oslo)
    chain = Chain.objects.get(store=ground.oslo if of_store else None)
    with pgtrigger.ignore():
        Entry.objects.filter(chain=chain).delete()
        chain.delete()
    with pytest.raises(CommandError, match="chain OSL, number 1: the whole" if of_store else "chain HQ, number 1: the whole"):
        call_command("verify_audit")
    assert audit.verify(ground.oslo.company).bad == audit.verify().bad


def test_two_chains_cannot_change_places(ground: Ground) -> None:
    oslo, bergen = Chain.objects.get(store=ground.oslo), Chain.objects.get(store=ground.bergen)
    with pgtrigger.ignore():
        Chain.objects.filter(pk=oslo.pk).update(store=None, company=Company.objects.create(name="Other"))
        Chain.objects.filter(pk=bergen.pk).update(store=ground.oslo)
    bad = audit.verify().bad
    assert bad is not None
    assert bad.what == "its columns disagree with its text: chain"


def test_every_event_has_a_sentence_in_its_own_words(ground: Ground) -> None:
    tell(ground.oslo)
    for entry in Entry.objects.all():
        assert "…" not in audit.sentence_of(entry)
        assert "{" not in audit.sentence_of(entry)
    with transaction.atomic():
        event = OrderOpened(reference="{code.__class__}", code="BGO", from_code="OSL")
        audit.record(event, by=KARI, company=ground.company, store=None, about=ABOUT)
    told = audit.sentence_of(Entry.objects.latest("id"))
    assert told == "Order {code.__class__} of store BGO was opened from store OSL."


def test_an_event_of_another_version_still_has_a_sentence(ground: Ground) -> None:
    unknown = Entry(event="gone", canonical='{"facts":{"a":"å"}}')
    older = Entry(event="store.closed", canonical='{"facts":{"code":"OSL"}}')
    with translation.override("en"):
        assert audit.sentence_of(unknown) == 'gone: {"a": "å"}'
        assert audit.sentence_of(older) == "Store OSL was closed: …"


def test_the_timeline_of_one_thing_is_in_order(ground: Ground) -> None:
    first, second = tell(ground.oslo), tell(ground.bergen)
    assert list(audit.timeline_of("thing", "1")) == [first, second]
    assert not audit.timeline_of("thing", "2").exists()


def test_event_names_are_unique_and_every_kind_is_registered() -> None:
    for kind in events.STORE_EVENTS:
        assert events.is_registered(kind)
    assert len({kind.name for kind in events.STORE_EVENTS}) == len(events.STORE_EVENTS)


def test_the_command_counts_and_names_the_first_bad_row(ground: Ground) -> None:
    entry = tell(ground.oslo)
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert out.getvalue() == f"The trail holds: {Entry.objects.count()} entries in 4 chains.\n"
    change(entry, actor_name="Per")
    with pytest.raises(CommandError) as refused:
        call_command("verify_audit", stdout=out)
    assert refused.value.returncode == 1
    assert f"chain OSL (id {entry.chain_id}), number {entry.counter}, row {entry.pk}" in str(refused.value)


def test_the_hub_itself_is_an_actor(ground: Ground) -> None:
    entry = tell(ground.oslo, by=actors.hub("sweep"))
    assert (entry.actor_kind, entry.actor_id, entry.actor_name) == ("hub", "", "sweep")
