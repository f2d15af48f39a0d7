"""The vault: a sealed value opens under its own context and key, and under nothing else."""

import dataclasses
import itertools
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from stores import vault
from stores.errors import Misconfigured
from stores.vault import CannotSeal, CannotUnseal, Context, Sealed

PLACE = Context(environment="production", table="key_set", row_id="1", subject="100001", field="client_secret", version=1)
ELSEWHERE: dict[str, Any] = {
    "environment": "test",
    "table": "store_system",
    "row_id": "2",
    "subject": "100002",
    "field": "client_id",
    "version": 2,
}
SECRET = b"the secret itself"


@pytest.fixture(autouse=True)
def ring(settings: Settings) -> tuple[str, str]:
    public, private = vault.new_key_pair()
    settings.VAULT_PUBLIC_KEYS, settings.VAULT_PRIVATE_KEYS = public, private
    settings.WEB_SEAL_KEY, settings.FINGERPRINT_KEY = "w" * 40, "f" * 40
    return public, private


def test_a_secret_opens_where_it_was_sealed() -> None:
    sealed = vault.seal(SECRET, PLACE)
    assert vault.unseal(sealed, PLACE) == SECRET
    assert SECRET not in sealed.data
    assert vault.seal(SECRET, PLACE).data != sealed.data


@pytest.mark.parametrize("field", ELSEWHERE)
def test_a_secret_does_not_open_when_one_part_of_its_place_differs(field: str) -> None:
    sealed = vault.seal(SECRET, PLACE)
    with pytest.raises(CannotUnseal) as refused:
        vault.unseal(sealed, dataclasses.replace(PLACE, **{field: ELSEWHERE[field]}))
    assert refused.value.code == "keys_unreadable"
    assert "secret itself" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_no_two_of_sixty_four_places_open_each_others_secrets() -> None:
    choices = [(name, (getattr(PLACE, name), other)) for name, other in ELSEWHERE.items()]
    places = [
        Context(**dict(zip([name for name, _ in choices], values, strict=True)))
        for values in itertools.product(*(pair for _, pair in choices))
    ]
    assert len(places) == 64
    sealed = [vault.seal(str(number).encode(), place) for number, place in enumerate(places)]
    for (number, place), (other, value) in itertools.product(enumerate(places), enumerate(sealed)):
        if number == other:
            assert vault.unseal(value, place) == str(number).encode()
        else:
            with pytest.raises(CannotUnseal):
                vault.unseal(value, place)


text = st.text(max_size=12)
contexts = st.builds(Context, environment=text, table=text, row_id=text, subject=text, field=text, version=st.integers(0, 99))


@given(contexts, contexts)
def test_two_places_never_share_their_canonical_bytes(one: Context, other: Context) -> None:
    assert (one.canonical() == other.canonical()) == (one == other)


def test_moving_a_letter_between_parts_changes_the_bytes() -> None:
    one = dataclasses.replace(PLACE, table="ab", row_id="c")
    other = dataclasses.replace(PLACE, table="a", row_id="bc")
    assert one.canonical() != other.canonical()


@pytest.mark.parametrize("place", [0, 31, 32, -1])
def test_a_changed_byte_does_not_open(place: int) -> None:
    data = bytearray(vault.seal(SECRET, PLACE).data)
    data[place] ^= 1
    with pytest.raises(CannotUnseal):
        vault.unseal(Sealed(vault_key=vault.newest_key(), data=bytes(data)), PLACE)


@pytest.mark.parametrize("data", [b"", b"short", bytes(32), bytes(60)])
def test_what_is_no_sealed_value_does_not_open(data: bytes) -> None:
    with pytest.raises(CannotUnseal):
        vault.unseal(Sealed(vault_key=vault.newest_key(), data=data), PLACE)


def test_without_the_private_key_nothing_opens(settings: Settings) -> None:
    sealed = vault.seal(SECRET, PLACE)
    assert vault.can_unseal()
    settings.VAULT_PRIVATE_KEYS = ""
    assert not vault.can_unseal()
    with pytest.raises(CannotUnseal):
        vault.unseal(sealed, PLACE)


def test_another_pair_under_the_same_id_does_not_open(settings: Settings) -> None:
    sealed = vault.seal(SECRET, PLACE)
    _, stranger = vault.new_key_pair()
    settings.VAULT_PRIVATE_KEYS = f"{sealed.vault_key}:{stranger.partition(':')[2]}"
    with pytest.raises(CannotUnseal):
        vault.unseal(sealed, PLACE)


def test_the_newest_key_seals_and_older_values_still_open(settings: Settings) -> None:
    before = vault.seal(SECRET, PLACE)
    public, private = vault.new_key_pair()
    settings.VAULT_PUBLIC_KEYS += f"\n{public}\n"
    settings.VAULT_PRIVATE_KEYS += f"\n{private}\n"
    after = vault.seal(SECRET, PLACE)
    assert (before.vault_key, after.vault_key) != (after.vault_key, before.vault_key)
    assert after.vault_key == public.partition(":")[0] == vault.newest_key()
    assert vault.unseal(before, PLACE) == vault.unseal(after, PLACE) == SECRET


def test_without_a_public_key_nothing_is_sealed(settings: Settings) -> None:
    settings.VAULT_PUBLIC_KEYS = ""
    with pytest.raises(CannotSeal) as refused:
        vault.seal(SECRET, PLACE)
    assert refused.value.code == "no_vault_key"


@pytest.mark.parametrize("line", ["nonsense", "vk-1:AAAA", "VK:" + "A" * 44, ":" + "A" * 43 + "=", "vk-1:%%%%"])
def test_a_line_that_is_no_key_is_named_but_not_shown(settings: Settings, line: str, ring: tuple[str, str]) -> None:
    settings.VAULT_PRIVATE_KEYS = f"{ring[1]}\n{line}"
    with pytest.raises(Misconfigured) as refused:
        vault.check_rings()
    assert refused.value.code == "bad_vault_key"
    assert "Line 2 of VAULT_PRIVATE_KEYS" in str(refused.value)
    assert line not in str(refused.value)


def test_a_fingerprint_tells_same_from_different_and_depends_on_its_key(settings: Settings) -> None:
    mark = vault.fingerprint(SECRET)
    assert len(mark) == 8
    assert int(mark, 16) >= 0
    assert mark == vault.fingerprint(SECRET)
    assert mark != vault.fingerprint(b"another")
    settings.FINGERPRINT_KEY = "g" * 40
    assert mark != vault.fingerprint(SECRET)
    settings.FINGERPRINT_KEY = ""
    with pytest.raises(Misconfigured):
        vault.fingerprint(SECRET)


def test_sign_in_secrets_open_for_their_purpose_under_the_webs_own_key(settings: Settings) -> None:
    settings.VAULT_PRIVATE_KEYS = ""
    text = vault.seal_for_web(SECRET, "sign-in")
    assert vault.unseal_for_web(text, "sign-in") == SECRET
    for wrong, purpose in ((text, "other"), (text[:-4] + "AAAA", "sign-in"), ("", "sign-in"), ("é", "sign-in")):
        with pytest.raises(CannotUnseal):
            vault.unseal_for_web(wrong, purpose)
    settings.WEB_SEAL_KEY = "x" * 40
    with pytest.raises(CannotUnseal):
        vault.unseal_for_web(text, "sign-in")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_command_writes_rings_that_only_their_owner_can_read(tmp_path: Path, settings: Settings) -> None:
    folder, out = tmp_path / "keys", StringIO()
    call_command("vault_keys", folder=folder, stdout=out)
    call_command("vault_keys", folder=folder, stdout=out)
    public, private = folder / "vault_public_keys", folder / "vault_private_keys"
    assert (mode_of(folder), mode_of(public), mode_of(private)) == (0o700, 0o600, 0o600)
    assert sorted(path.name for path in folder.iterdir()) == ["vault_private_keys", "vault_public_keys"]
    settings.VAULT_PUBLIC_KEYS, settings.VAULT_PRIVATE_KEYS = public.read_text(), private.read_text()
    assert len(public.read_text().splitlines()) == len(private.read_text().splitlines()) == 2
    assert vault.unseal(vault.seal(SECRET, PLACE), PLACE) == SECRET
    assert str(private) in out.getvalue()
    for line in private.read_text().splitlines():
        assert line.partition(":")[2] not in out.getvalue()


def test_the_command_says_when_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="could not be written"):
        call_command("vault_keys", folder=tmp_path / "file" / "keys")
