"""Webhook secrets: shown once, sealed, and what they sign is what a receiver's library verifies."""

from datetime import UTC, datetime

import pytest
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from stores import keys, signing
from stores.errors import Misconfigured
from stores.models import Entry, StoreSystem
from stores.vault import CannotUnseal
from tests.stores.conftest import Ground


@pytest.fixture
def system(ground: Ground) -> StoreSystem:
    return keys.add_system(ground.oslo, name="Till", scopes=["refunds:read"], by=ground.by)


def signed(system: StoreSystem, body: str) -> dict[str, str]:
    at = datetime.now(UTC)
    return {
        "webhook-id": "msg-1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signing.sign(system, message_id="msg-1", at=at, body=body),
    }


def test_the_receivers_library_verifies_the_signature(system: StoreSystem, ground: Ground) -> None:
    secret = signing.make_secret(system, by=ground.by)
    headers = signed(system, '{"a":1}')
    assert Webhook(secret.text).verify('{"a":1}', headers) == {"a": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret.text).verify('{"a":2}', headers)


def test_the_newest_secret_signs(system: StoreSystem, ground: Ground) -> None:
    first, second = signing.make_secret(system, by=ground.by), signing.make_secret(system, by=ground.by)
    assert (first.version, second.version) == (1, 2)
    headers = signed(system, "{}")
    assert Webhook(second.text).verify("{}", headers) == {}
    with pytest.raises(WebhookVerificationError):
        Webhook(first.text).verify("{}", headers)


def test_the_secret_is_shown_once_and_told_without_itself(system: StoreSystem, ground: Ground) -> None:
    secret = signing.make_secret(system, by=ground.by)
    assert secret.text not in repr(secret)
    entry = Entry.objects.latest("id")
    assert (entry.event, str(entry.chain)) == ("signing_secret.made", "OSL")
    assert secret.text.removeprefix("whsec_") not in entry.canonical


def test_without_a_secret_or_the_private_key_nothing_is_signed(system: StoreSystem, ground: Ground, settings: Settings) -> None:
    with pytest.raises(Misconfigured) as refused:
        signed(system, "{}")
    assert refused.value.code == "no_signing_secret"
    signing.make_secret(system, by=ground.by)
    settings.VAULT_PRIVATE_KEYS = ""
    with pytest.raises(CannotUnseal):
        signed(system, "{}")
