"""The first person of a new hub."""

import pytest
from django.core.management import CommandError, call_command

from stores import access, audit
from stores.access import Right
from stores.models import Company, User


@pytest.fixture
def _typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "a long enough pass phrase")


@pytest.mark.usefixtures("db", "_typed")
def test_the_first_person_can_add_stores_keys_and_people() -> None:
    call_command("open_headquarters", "Nordlys", "hanne")
    hanne = User.objects.get(username="hanne")
    assert hanne.check_password("a long enough pass phrase")
    rights = (Right.MANAGE_STORES, Right.MANAGE_KEYS, Right.MANAGE_PEOPLE)
    assert all(access.may(hanne, right) for right in rights)
    assert not access.may(hanne, Right.APPROVE_REFUND)
    assert audit.verify().entries == 2


@pytest.mark.usefixtures("db", "_typed")
def test_headquarters_opens_once() -> None:
    call_command("open_headquarters", "Nordlys", "hanne")
    with pytest.raises(CommandError, match="already open"):
        call_command("open_headquarters", "Another", "per")
    assert (Company.objects.count(), User.objects.count()) == (1, 1)


@pytest.mark.usefixtures("db")
def test_a_weak_password_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "hanne")
    with pytest.raises(CommandError):
        call_command("open_headquarters", "Nordlys", "hanne")
    assert not User.objects.exists()
