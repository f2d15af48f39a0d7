"""Keys at headquarters: what goes in never comes out, an API key is shown once, and both ask for a fresh proof."""

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from stores import audit, credentials, keys
from stores.models import ApiKey, Entry, KeySet, SalesUnit
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters

VALUES = {
    "client_id": "canary-client-id-7f3a",
    "client_secret": "canary-client-secret-b81c",
    "subscription_key": "canary-subscription-key-2d9e",
}


@pytest.fixture
def hanne(chain: Chain) -> Client:
    """Hanne at headquarters, her second factor just proven."""
    return at_headquarters(chain.hanne)


def test_keys_go_in_and_never_come_out(chain: Chain, hanne: Client, caplog: pytest.LogCaptureFixture) -> None:
    unit = chain.units["OSL"]
    url = f"/hq/stores/salesunit/{unit.pk}/bind_own/"
    opened = hanne.get(url).content.decode()
    assert opened.count('type="password"') == 3
    assert 'autocomplete="off' in opened
    incomplete = hanne.post(url, {**VALUES, "subscription_key": ""})
    assert incomplete.status_code == 422
    bad = hanne.post(url, {**VALUES, "client_id": "with\nline"})
    assert bad.status_code == 422
    assert hanne.post(url, VALUES).status_code == 302
    unit.refresh_from_db()
    assert unit.key_set is not None
    assert unit.key_set.version == 2
    shown = [
        incomplete.content.decode(),
        bad.content.decode(),
        caplog.text,
        *(hanne.get(path, follow=True).content.decode() for path in _pages(unit, unit.key_set)),
        *(entry.canonical for entry in Entry.objects.all()),
        *(str(session.get_decoded()) for session in Session.objects.all()),
    ]
    for value in VALUES.values():
        assert not [text for text in shown if value in text]
    opened_keys = credentials.unsealed_keys(unit.key_set)
    assert opened_keys.client_secret == VALUES["client_secret"]
    assert unit.key_set.fingerprint in hanne.get(f"/hq/stores/keyset/{unit.key_set.pk}/change/").content.decode()


def _pages(unit: SalesUnit, key_set: KeySet) -> list[str]:
    return [
        "/hq/",
        "/hq/stores/keyset/",
        f"/hq/stores/keyset/{key_set.pk}/change/",
        f"/hq/stores/keyset/{key_set.pk}/enter_new_keys/",
        "/hq/stores/salesunit/",
        f"/hq/stores/salesunit/{unit.pk}/change/",
        f"/hq/stores/salesunit/{unit.pk}/bind_own/",
        "/hq/stores/entry/",
    ]


def test_partner_keys_are_added_and_bound(chain: Chain, hanne: Client) -> None:
    form = {"name": "Second partner", "subject": "partner-2", "environment": "simulator", **VALUES}
    assert hanne.post("/hq/stores/keyset/add_partner_set/", form).status_code == 302
    key_set = KeySet.objects.get(subject="partner-2")
    assert (key_set.kind, key_set.version) == ("partner", 1)
    again = hanne.post("/hq/stores/keyset/add_partner_set/", form)
    assert again.status_code == 422
    unit = chain.units["TRD"]
    assert hanne.post(f"/hq/stores/salesunit/{unit.pk}/bind_partner/", {"key_set": key_set.pk}).status_code == 302
    unit.refresh_from_db()
    assert unit.key_set == key_set


def test_an_api_key_is_shown_once(chain: Chain, hanne: Client, caplog: pytest.LogCaptureFixture) -> None:
    system = chain.systems["OSL"]
    answer = hanne.post(f"/hq/stores/storesystem/{system.pk}/issue_key/", {"expires_at_0": "", "expires_at_1": ""})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    key = ApiKey.objects.get(system=system)
    page = answer.content.decode()
    text = page[page.index(f"rhk_{key.lookup}_") :][:64]
    assert page.count(text) == 1
    assert keys.system_for(text) == system
    secret = text[21:]
    later = [
        hanne.get(f"/hq/stores/storesystem/{system.pk}/change/").content.decode(),
        hanne.get(f"/hq/stores/apikey/{key.pk}/change/").content.decode(),
        hanne.get("/hq/stores/apikey/").content.decode(),
        hanne.get("/hq/stores/entry/").content.decode(),
        *(entry.canonical for entry in Entry.objects.all()),
        *(str(session.get_decoded()) for session in Session.objects.all()),
        caplog.text,
        str(hanne.cookies),
    ]
    assert not [shown for shown in later if secret in shown]


def test_a_revoked_key_is_refused_at_once(chain: Chain, hanne: Client) -> None:
    issued = keys.issue_key(chain.systems["OSL"], by=chain.by)
    url = f"/hq/stores/apikey/{issued.key.pk}/revoke/"
    assert hanne.post(url, {"reason": ""}).status_code == 422
    assert keys.system_for(issued.text) is not None
    assert hanne.post(url, {"reason": "Lost with a laptop"}).status_code == 302
    assert keys.system_for(issued.text) is None
    assert audit.sentence_of(Entry.objects.latest("id")).endswith("was revoked: Lost with a laptop")
    assert hanne.post(url, {"reason": "again"}).status_code == 422


def test_forms_about_keys_people_and_approvals_ask_for_a_fresh_proof(chain: Chain) -> None:
    client = at_headquarters(chain.hanne, seconds_ago=16 * 60)
    paths = [
        f"/hq/stores/salesunit/{chain.units['OSL'].pk}/bind_own/",
        "/hq/stores/keyset/add_partner_set/",
        f"/hq/stores/storesystem/{chain.systems['OSL'].pk}/issue_key/",
        "/hq/stores/user/add_person/",
        f"/hq/stores/user/{chain.kari.pk}/give_role/",
        f"/hq/stores/user/{chain.kari.pk}/make_link/",
    ]
    for path in paths:
        assert client.get(path)["Location"].startswith("/accounts/2fa/reauthenticate/?next="), path
        assert client.post(path, VALUES)["Location"].startswith("/accounts/2fa/reauthenticate/?next="), path
    stored = str([session.get_decoded() for session in Session.objects.all()])
    assert "canary" not in stored, "a stale form is dropped, not kept in the session"
    assert not ApiKey.objects.exists()


def test_a_form_may_take_a_while_to_fill_in(chain: Chain) -> None:
    client = at_headquarters(chain.hanne, seconds_ago=10 * 60)
    path = f"/hq/stores/salesunit/{chain.units['OSL'].pk}/bind_own/"
    assert client.get(path).status_code == 302
    assert client.post(path, VALUES).status_code == 302
    chain.units["OSL"].refresh_from_db()
    key_set = chain.units["OSL"].key_set
    assert key_set is not None
    assert key_set.version == 2
