"""The store's day and the hand-over between shifts: what has no end yet, what one person tells the next, and who took over."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.test import Client

from refunds import shifts
from refunds.desk.shift_page import MOST_TAKEN
from refunds.models import Refund, ShiftNote, State, TakeOver
from stores import audit, clock, people
from stores.errors import HubError
from stores.models import Entry, Order, Role, User
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.desk_pages import hidden, signed_in, text_of
from tests.refunds.releases import ask_release, reserved

PAGE, NOTES = "/desk/shift/", "/desk/shift/notes/"


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)


@pytest.fixture
def kari(chain: Chain) -> Client:
    return signed_in(chain.kari)


@pytest.fixture
def mona(chain: Chain) -> Client:
    return signed_in(chain.mona)


def leave(client: Client, text: str, *, press: str = "") -> Any:
    return client.post(NOTES, {"note": text, "press": press or hidden(client.get(PAGE), "press")})


def take(client: Client, note: ShiftNote) -> Any:
    return client.post(f"{NOTES}{note.pk}/taken/")


def untaken_in_header(client: Client) -> int:
    """What stands beside the link on the page she starts from."""
    _before, found, after = client.get("/desk/today/").content.decode().partition('title="to be taken over">')
    return int(after.partition("<")[0]) if found else 0


def test_the_store_sees_what_all_of_its_people_refunded_today(chain: Chain, order: Order, kari: Client) -> None:
    bodil = User.objects.create(username="bodil", first_name="Bodil")
    people.join_store(bodil, chain.bergen, role=Role.CASHIER, by=chain.by)
    run(ask(order, 12_550, who=chain.kari, store=chain.oslo).refund)
    run(ask(order, 7_450, who=chain.mona, store=chain.oslo).refund)
    run(ask(order, 100, who=bodil, store=chain.bergen).refund)
    made = text_of(kari.get(PAGE)).partition("Refunds here today")[2]
    assert "Refunded · 2 NOK 200.00" in made
    assert "Kari BGO-20261101-7741 R1 sold by Nordlys Bergen NOK 125.50 refunded" in made
    assert "Mona BGO-20261101-7741 R2 sold by Nordlys Bergen NOK 74.50 refunded" in made
    assert "Bodil" not in made, "Bergen refunded that"


def test_sums_tell_what_is_back_from_what_is_not(
    chain: Chain, order: Order, kari: Client, django_assert_max_num_queries: Any
) -> None:
    states = (State.REFUNDED, State.QUEUED, State.UNKNOWN, State.REVIEW, State.AWAITING_APPROVAL, State.DECLINED)
    for number, state in enumerate(states):
        refund = ask(order, 1_000 + number, who=chain.kari, store=chain.oslo).refund
        Refund.objects.filter(pk=refund.pk).update(state=state)
    ask_release(reserved(chain), who=chain.kari, store=chain.oslo)  # no money moves with it
    with django_assert_max_num_queries(8):
        said = text_of(kari.get(PAGE))
    assert "Refunded · 1 NOK 10.00 Under way · 2 NOK 20.03 Needs somebody · 2 NOK 20.07" in said


def test_a_days_refunds_end_at_midnight_of_the_store(chain: Chain, order: Order) -> None:
    run(ask(order, 100, who=chain.kari, store=chain.oslo).refund)
    now = clock.db_now()
    assert shifts.made_today(chain.oslo, now=now).count() == 1
    assert shifts.made_today(chain.oslo, now=now + timedelta(days=1)).count() == 0
    assert shifts.made_today(chain.bergen, now=now).count() == 0


def test_what_has_no_end_yet_is_told_with_since_when_and_what_comes_next(
    chain: Chain, order: Order, travel: Any, settings: Any
) -> None:
    settings.APPROVAL_ABOVE_MINOR = {"NOK": 50_000}
    ask(order, 60_000, who=chain.kari, store=chain.oslo)
    review = ask(order, 2_000, who=chain.mona, store=chain.oslo).refund
    Refund.objects.filter(pk=review.pk).update(state=State.REVIEW)
    ended = run(ask(order, 3_000, who=chain.mona, store=chain.oslo).refund)
    travel(timedelta(days=1))
    said = text_of(signed_in(chain.kari).get(PAGE)).partition("Without an end yet")[2].partition("Refunds here today")[0]
    assert "Kari since " in said, "yesterday's are told until they end"
    assert "R1 sold by Nordlys Bergen NOK 600.00 lapses " in said
    assert "Waits for approval" in said
    assert "R2 sold by Nordlys Bergen NOK 20.00 With headquarters" in said
    assert f"R{ended.number} " not in said


def test_a_note_waits_for_the_next_person_until_she_takes_over(chain: Chain, kari: Client, mona: Client) -> None:
    assert leave(kari, " The customer of 7741\n comes back  at five. ")["Location"] == PAGE
    note = ShiftNote.objects.get()
    assert (note.text, note.store, note.left_by) == ("The customer of 7741 comes back at five.", chain.oslo, chain.kari)
    assert (untaken_in_header(kari), untaken_in_header(mona)) == (0, 1)
    assert "nobody has taken over yet" in text_of(kari.get(PAGE))
    assert "I have read it and take over" in text_of(mona.get(PAGE))
    assert take(mona, note)["Location"] == PAGE
    assert untaken_in_header(mona) == 0
    said = text_of(kari.get(PAGE))
    assert "The customer of 7741 comes back at five. Kari," in said
    assert "taken over by Mona," in said
    assert "I have read it" not in text_of(mona.get(PAGE))


def test_the_trail_keeps_every_word_and_what_was_open_then(chain: Chain, order: Order, kari: Client, mona: Client) -> None:
    ask(order, 10_000, who=chain.kari, store=chain.oslo)
    leave(kari, "Mona knows.")
    note = ShiftNote.objects.get()
    take(mona, note)
    left, taken = audit.timeline_of("shift_note", str(note.pk))
    assert audit.sentence_of(left) == (
        "Store OSL, for the next shift: Mona knows. (without an end then: BGO-20261101-7741 R1)"
    )
    assert audit.sentence_of(taken) == "Store OSL: the note of Kari for the next shift was read and taken over."
    assert [(entry.actor_name, entry.chain.store) for entry in (left, taken)] == [("Kari", chain.oslo), ("Mona", chain.oslo)]
    assert audit.verify().bad is None


def test_a_second_press_leaves_one_note(chain: Chain, kari: Client) -> None:
    press = hidden(kari.get(PAGE), "press")
    leave(kari, "Once.", press=press)
    before = Entry.objects.count()
    leave(kari, "Once.", press=press)
    assert ShiftNote.objects.count() == 1
    assert Entry.objects.count() == before


def test_only_the_first_takes_over(chain: Chain, kari: Client, mona: Client) -> None:
    liv = User.objects.create(username="liv", first_name="Liv")
    people.join_store(liv, chain.oslo, role=Role.CASHIER, by=chain.by)
    leave(kari, "Mona knows.")
    note = ShiftNote.objects.get()
    take(signed_in(liv), note)
    assert take(mona, note).status_code == 302
    assert [taken.taken_by for taken in TakeOver.objects.all()] == [liv]
    assert Entry.objects.filter(event="shift.taken_over").count() == 1


def test_nobody_takes_over_from_herself(chain: Chain, kari: Client) -> None:
    leave(kari, "Mona knows.")
    note = ShiftNote.objects.get()
    refused = take(kari, note)
    assert refused.status_code == 403
    assert "the next person takes over" in text_of(refused)
    with pytest.raises(IntegrityError), transaction.atomic():
        TakeOver.objects.create(note=note, taken_by=chain.kari)
    assert not TakeOver.objects.exists()


@pytest.mark.parametrize(("note", "why"), [("", "Write a few words"), (" \n ", "a few words"), ("x" * 501, "at most 500")])
def test_what_cannot_be_kept_stays_in_the_field(kari: Client, note: str, why: str) -> None:
    page = leave(kari, note)
    assert page.status_code == 400
    assert why in text_of(page)
    assert note.strip() in page.content.decode()
    assert not ShiftNote.objects.exists()


def test_another_stores_notes_are_nobodys_business(chain: Chain, mona: Client) -> None:
    bodil = User.objects.create(username="bodil", first_name="Bodil")
    people.join_store(bodil, chain.bergen, role=Role.CASHIER, by=chain.by)
    leave(signed_in(bodil), "Of Bergen only.")
    note = ShiftNote.objects.get()
    assert "Of Bergen only." not in text_of(mona.get(PAGE))
    assert untaken_in_header(mona) == 0
    assert take(mona, note).status_code == 404
    assert take(mona, ShiftNote(id=uuid.uuid4())).status_code == 404
    for act in (
        lambda: shifts.leave_note(chain.bergen, "x", press="x", user=chain.mona, by=chain.by),
        lambda: shifts.take_over(chain.bergen, note.pk, user=chain.mona, by=chain.by),
    ):
        with pytest.raises(HubError) as caught:
            act()
        assert caught.value.code == "forbidden"
    assert not TakeOver.objects.exists()


def test_what_nobody_has_taken_over_is_shown_however_much_was_left_since(chain: Chain, kari: Client, mona: Client) -> None:
    leave(kari, "The oldest.")
    for number in range(MOST_TAKEN + 1):
        newer = shifts.leave_note(chain.oslo, f"Newer {number}.", press=str(number), user=chain.kari, by=chain.by)
        shifts.take_over(chain.oslo, newer.pk, user=chain.mona, by=chain.by)
    said = text_of(mona.get(PAGE))
    assert "The oldest." in said
    assert f"Newer {MOST_TAKEN}." in said
    assert "Newer 0." not in said


def test_a_note_is_shown_for_a_week(chain: Chain, kari: Client, travel: Any) -> None:
    leave(kari, "Mona knows.")
    travel(timedelta(days=6, hours=23))
    assert untaken_in_header(signed_in(chain.mona)) == 1
    travel(timedelta(hours=2))
    assert untaken_in_header(signed_in(chain.mona)) == 0
    assert "Mona knows." not in text_of(signed_in(chain.mona).get(PAGE))


def test_what_was_left_is_never_changed(chain: Chain, kari: Client, mona: Client) -> None:
    leave(kari, "Mona knows.")
    take(mona, ShiftNote.objects.get())
    leave(kari, "And Liv.")
    for rows in (TakeOver.objects.all(), ShiftNote.objects.filter(take_over=None)):
        with pytest.raises(ProgrammingError), transaction.atomic():
            rows[0].save()
        with pytest.raises(ProgrammingError), transaction.atomic():
            rows.delete()
