"""One flow for everybody: who is let in, who is sent where, and what the trail and the database keep of it."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse

from stores import audit
from stores.models import Entry, User
from tests.conftest import PASSWORD, Chain
from tests.hq.headquarters import SEED, at_headquarters, signed_in

LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def _fresh_limits(db: None) -> None:
    cache.clear()


@pytest.fixture
def _early_in_a_code() -> Iterator[None]:
    """A code is good for thirty seconds of the clock: one that is read in the last of them is sent too late."""
    begins = int(time.time()) // 30 * 30
    with time_machine.travel(datetime.fromtimestamp(begins + 2, tz=UTC), tick=True):
        yield


def sign_in(client: Client, name: str, password: str = PASSWORD) -> Any:
    """As the form sends it."""
    return client.post(LOGIN, {"login": name, "password": password})


def code_now() -> str:
    """What an authenticator app shows for the test's seed."""
    counters = list(yield_hotp_counters_from_time())
    return str(format_hotp_value(hotp_value(SEED, counters[len(counters) // 2])))


@pytest.mark.parametrize(("name", "place"), [("kari", "/desk/"), ("mona", "/desk/"), ("hanne", "/hq/"), ("per", "/desk/")])
def test_each_lands_where_she_works(chain: Chain, name: str, place: str) -> None:
    client = Client()
    assert sign_in(client, name)["Location"] == place
    assert client.get("/")["Location"] == place


def test_an_address_asked_for_comes_before_ones_own_place(chain: Chain) -> None:
    answer = Client().post(f"{LOGIN}?next=/hq/stores/store/", {"login": "hanne", "password": PASSWORD})
    assert answer["Location"] == "/hq/stores/store/"
    elsewhere = Client().post(f"{LOGIN}?next=https://evil.example/", {"login": "hanne", "password": PASSWORD})
    assert elsewhere["Location"] == "/hq/"


def test_nobody_signs_herself_up(chain: Chain) -> None:
    count = User.objects.count()
    form = {"username": "eve", "password1": PASSWORD, "password2": PASSWORD}
    answer = Client().post(reverse("account_signup"), form)
    assert answer.status_code == 200
    assert User.objects.count() == count


def test_a_sign_in_is_in_the_trail(chain: Chain) -> None:
    sign_in(Client(), "kari")
    entry = Entry.objects.get(event="person.signed_in")
    assert audit.sentence_of(entry) == "Kari signed in."
    assert entry.chain.store is None
    assert entry.subject_id == str(chain.kari.public_id)
    assert '"address":"127.0.0.1"' in entry.canonical


def test_a_refused_sign_in_is_in_the_trail_without_what_was_typed(chain: Chain, caplog: pytest.LogCaptureFixture) -> None:
    client = Client()
    assert sign_in(client, "kari", "wrong-canary-password").status_code == 200
    assert "_auth_user_id" not in client.session
    entry = Entry.objects.get(event="person.sign_in_refused")
    assert audit.sentence_of(entry) == "A sign-in as “kari” was refused."
    sign_in(Client(), "my-canary-password-in-the-wrong-field")
    assert Entry.objects.filter(event="person.sign_in_refused").count() == 1
    written = caplog.text + "".join(Entry.objects.values_list("canonical", flat=True))
    assert "canary" not in written


def test_a_stranger_to_every_company_can_sign_in_and_see_nothing(chain: Chain) -> None:
    client = Client()
    assert sign_in(client, "per").status_code == 302
    assert not Entry.objects.filter(event="person.signed_in").exists()
    assert client.get("/hq/", follow=True).status_code == 403


def test_guessing_is_slowed_down_for_the_guesser_alone(chain: Chain) -> None:
    attacker = Client(REMOTE_ADDR="203.0.113.9")
    for _ in range(12):
        sign_in(attacker, "kari", "not her password")
    answer = sign_in(attacker, "kari")
    assert answer.status_code != 302, "the right password no longer helps there"
    assert sign_in(Client(REMOTE_ADDR="198.51.100.7"), "mona").status_code == 302


def test_behind_a_proxy_each_visitor_has_her_own_address(chain: Chain, settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    client = Client(REMOTE_ADDR="10.0.0.1", headers={"x-forwarded-for": "6.6.6.6, 198.51.100.7"})
    sign_in(client, "kari")
    entry = Entry.objects.get(event="person.signed_in")
    assert '"address":"198.51.100.7"' in entry.canonical, "what the visitor claims herself counts for nothing"


def test_the_second_factors_seed_lies_sealed(chain: Chain) -> None:
    TOTP.activate(chain.hanne, SEED)
    RecoveryCodes.activate(chain.hanne)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(data::text, ' ') FROM mfa_authenticator")
        row = cursor.fetchone()
    assert row is not None
    assert SEED not in row[0]
    codes = RecoveryCodes(Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES))
    assert len(codes.get_unused_codes()) == 10
    assert not [code for code in codes.get_unused_codes() if code in row[0]]


@pytest.mark.usefixtures("_early_in_a_code")
def test_headquarters_asks_for_the_code(chain: Chain) -> None:
    TOTP.activate(chain.hanne, SEED)
    client = Client()
    assert sign_in(client, "hanne")["Location"].startswith(reverse("mfa_authenticate"))
    assert "_auth_user_id" not in client.session
    wrong = client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert wrong.status_code == 200
    assert "_auth_user_id" not in client.session
    assert client.get("/hq/").status_code == 302
    right = client.post(reverse("mfa_authenticate"), {"code": code_now()})
    assert right["Location"] == "/hq/"
    assert client.get("/hq/").status_code == 200


@pytest.mark.usefixtures("_early_in_a_code")
def test_one_code_opens_one_session(chain: Chain) -> None:
    TOTP.activate(chain.hanne, SEED)
    code = code_now()
    first, second = Client(), Client()
    sign_in(first, "hanne")
    sign_in(second, "hanne")
    assert first.post(reverse("mfa_authenticate"), {"code": code}).status_code == 302
    assert second.post(reverse("mfa_authenticate"), {"code": code}).status_code == 200


@pytest.mark.usefixtures("_early_in_a_code")
def test_the_second_factor_is_set_up_on_the_way_to_headquarters(chain: Chain) -> None:
    """The password once more, the code of the app, and the code again for this session; then headquarters opens."""
    client = Client()
    sign_in(client, "hanne")
    asked = client.get("/hq/", follow=True)
    again = asked.redirect_chain[-1][0]
    assert again.startswith(reverse("account_reauthenticate"))
    setting_up = client.post(again, {"password": PASSWORD}, follow=True)
    assert setting_up.redirect_chain[-1][0].startswith(reverse("mfa_activate_totp"))
    session = client.session
    session["mfa.totp.secret"] = SEED
    session.save()
    assert client.post(reverse("mfa_activate_totp"), {"code": code_now()}).status_code == 302
    assert "mfa.totp.secret" not in client.session
    proving = client.get("/hq/", follow=True).redirect_chain[-1][0]
    assert proving.startswith(reverse("mfa_reauthenticate"))
    assert client.post(proving, {"code": code_now()})["Location"] == "/hq/"
    assert client.get("/hq/").status_code == 200


def test_headquarters_people_keep_their_second_factor(chain: Chain) -> None:
    client = at_headquarters(chain.hanne)
    session = client.session
    for record in session["account_authentication_methods"]:
        record.update(reauthenticated=True, at=time.time())
    session.save()
    answer = client.post(reverse("mfa_deactivate_totp"))
    assert answer.status_code in (200, 403)
    assert Authenticator.objects.filter(user=chain.hanne).exists()


def test_a_cashier_needs_none(chain: Chain) -> None:
    client = Client()
    assert sign_in(client, "kari")["Location"] == "/desk/"
    assert client.get("/desk/").status_code == 200


def test_the_rest_door_knows_no_sessions(chain: Chain) -> None:
    assert signed_in(chain.hanne).get("/api/v1/orders").status_code == 401


def test_passwords_are_kept_with_argon2(chain: Chain) -> None:
    assert chain.kari.password.startswith("argon2")
