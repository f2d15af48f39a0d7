"""A PIN shows a till who somebody is: not guessed at once, kept sealed, counted when wrong, and ended by a guesser."""

from datetime import timedelta

import pytest

from stores import clock, people, pins
from stores.actors import hub
from stores.audit import sentence_of
from stores.errors import Invalid
from stores.events import PinUse
from stores.models import Entry, Role, TillPin, User
from tests.stores.conftest import Ground, person

HERS, ANOTHER = "730518", "730519"
TILL = hub("test")


@pytest.fixture
def mona(ground: Ground) -> User:
    user = person("mona")
    people.join_store(user, ground.oslo, role=Role.MANAGER, by=ground.by)
    return user


@pytest.fixture
def chosen(mona: User) -> User:
    pins.choose(mona, HERS, by=TILL)
    return mona


def prove(user: User, pin: str = HERS) -> None:
    pins.prove(user, pin, use=PinUse.ALLOW, by=TILL)


def wrong(user: User, times: int) -> None:
    for _ in range(times):
        with pytest.raises(pins.WrongPin):
            prove(user, ANOTHER)


def open_again(user: User) -> None:
    TillPin.objects.filter(user=user).update(closed_until=clock.db_now() - timedelta(seconds=1))


def test_the_right_one_is_enough_and_told(chosen: User) -> None:
    prove(chosen)
    assert sentence_of(Entry.objects.latest("id")) == "Mona gave the PIN at a till to allow a refund."


@pytest.mark.parametrize(
    "pin", ["", "12345", "12345678901", "73051a", "７３０５１８", " 730518", "730518\n", "777777", "737373"]
)
def test_what_is_no_pin_or_hardly_one_is_refused(mona: User, pin: str) -> None:
    with pytest.raises(Invalid):
        pins.choose(mona, pin, by=TILL)
    assert not pins.may_prove(mona)


@pytest.mark.parametrize("pin", ["123456", "456789", "654321", "890123", "0987654321"])
def test_a_row_of_digits_is_refused(mona: User, pin: str) -> None:
    with pytest.raises(Invalid, match="guessed at once"):
        pins.choose(mona, pin, by=TILL)


def test_without_one_nothing_is_proved(mona: User) -> None:
    with pytest.raises(pins.NoPin):
        prove(mona)
    assert not pins.may_prove(mona)


def test_a_wrong_one_is_counted_told_and_forgotten_with_the_right_one(chosen: User) -> None:
    wrong(chosen, 2)
    assert sentence_of(Entry.objects.latest("id")) == (
        "A wrong PIN was given for Mona at a till to allow a refund (2 in a row)."
    )
    prove(chosen)
    assert TillPin.objects.get(user=chosen).wrong == 0


def test_it_says_how_often_one_may_still_try(chosen: User) -> None:
    with pytest.raises(pins.WrongPin) as refused:
        prove(chosen, ANOTHER)
    assert refused.value.facts["left"] == pins.CLOSES_AFTER - 1


def test_five_wrong_ones_close_it_for_the_right_one_too_and_a_closed_one_is_not_counted(chosen: User) -> None:
    wrong(chosen, pins.CLOSES_AFTER)
    for pin in (HERS, ANOTHER):
        with pytest.raises(pins.PinClosed):
            prove(chosen, pin)
    assert TillPin.objects.get(user=chosen).wrong == pins.CLOSES_AFTER
    open_again(chosen)
    prove(chosen)


def test_fifteen_wrong_ones_end_it_until_she_chooses_another(chosen: User) -> None:
    for _ in range(pins.ENDS_AFTER // pins.CLOSES_AFTER):
        wrong(chosen, pins.CLOSES_AFTER)
        open_again(chosen)
    with pytest.raises(pins.NoPin):
        prove(chosen)
    assert not pins.may_prove(chosen)
    pins.choose(chosen, ANOTHER, by=TILL)
    prove(chosen, ANOTHER)


def test_headquarters_ends_one_that_was_seen_and_says_why(ground: Ground, chosen: User) -> None:
    with pytest.raises(Invalid):
        pins.end(chosen, company=ground.company, reason=" ", by=TILL)
    pins.end(chosen, company=ground.company, reason="written on the till", by=TILL)
    assert sentence_of(Entry.objects.latest("id")) == "The PIN of Mona was ended: written on the till"
    with pytest.raises(pins.NoPin):
        prove(chosen)
    with pytest.raises(pins.NoPin):
        pins.end(chosen, company=ground.company, reason="again", by=TILL)


def test_headquarters_ends_that_of_somebody_who_has_left(ground: Ground, chosen: User) -> None:
    people.leave_store(chosen.memberships.get(store=ground.oslo), reason="moved on", by=ground.by)
    pins.end(chosen, company=ground.company, reason="written on the till", by=TILL)
    assert not pins.may_prove(chosen)


def test_the_database_holds_nothing_to_try_digits_against(chosen: User) -> None:
    sealed = TillPin.objects.get(user=chosen).sealed
    assert HERS not in sealed
    assert "argon2" not in sealed
    assert people.unseal_sign_in(sealed).startswith("argon2")


def test_the_trail_never_holds_the_digits(chosen: User) -> None:
    wrong(chosen, 1)
    assert not [entry for entry in Entry.objects.all() if HERS in entry.canonical or ANOTHER in entry.canonical]
