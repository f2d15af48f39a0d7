"""Turning the vault key."""

import pytest
from django.core.management import call_command
from pytest_django import Settings

from stores import vault
from stores.models import Secret
from tests.conftest import Chain


def test_every_value_moves_to_the_newest_key(
    chain: Chain, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    public, private = vault.new_key_pair()
    settings.VAULT_PUBLIC_KEYS = f"{settings.VAULT_PUBLIC_KEYS}\n{public}"
    settings.VAULT_PRIVATE_KEYS = f"{settings.VAULT_PRIVATE_KEYS}\n{private}"
    sealed = Secret.objects.count()
    call_command("reseal_secrets")
    assert f"{sealed} sealed values moved" in capsys.readouterr().out
    assert set(Secret.objects.values_list("vault_key", flat=True)) == {public.partition(":")[0]}
    call_command("reseal_secrets")
    assert "0 sealed values moved" in capsys.readouterr().out
