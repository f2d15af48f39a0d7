"""Who comes into headquarters: a role and a proven second factor, and nothing instead of them."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from hq.admin import site
from stores import people, registry
from stores.models import Company, Role, Store, User
from tests.conftest import PASSWORD, Chain
from tests.hq.headquarters import at_headquarters, prove, signed_in

INDEX = "/hq/"


def test_a_stranger_is_sent_to_the_one_sign_in(chain: Chain) -> None:
    answer = Client().get(INDEX, follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/")
    assert "next=%2Fhq%2F" in answer.redirect_chain[-1][0]


def test_the_admins_own_login_takes_no_password(chain: Chain) -> None:
    client = Client()
    answer = client.post("/hq/login/", {"username": "hanne", "password": PASSWORD})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")
    assert "_auth_user_id" not in client.session


def test_login_does_not_send_on_to_another_host(chain: Chain) -> None:
    answer = at_headquarters(chain.hanne).get("/hq/login/", {"next": "https://evil.example/hq/"})
    assert answer["Location"] == INDEX


@pytest.mark.parametrize("name", ["kari", "mona", "per"])
def test_store_people_and_strangers_to_the_chain_stay_outside(chain: Chain, name: str) -> None:
    client = at_headquarters(getattr(chain, name))
    assert client.get(INDEX, follow=True).status_code == 403


def test_a_superuser_without_a_role_stays_outside(chain: Chain) -> None:
    chain.per.is_superuser = chain.per.is_staff = True
    chain.per.save()
    assert at_headquarters(chain.per).get(INDEX, follow=True).status_code == 403


def test_who_has_no_second_factor_is_sent_to_set_one_up(chain: Chain) -> None:
    answer = signed_in(chain.hanne).get(INDEX, follow=False)
    assert answer.status_code == 302
    sent_on = signed_in(chain.hanne).get(answer["Location"])
    assert sent_on["Location"].startswith(reverse("mfa_activate_totp"))


def test_a_session_that_has_not_proven_the_second_factor_must(chain: Chain) -> None:
    """A session opened with the password alone, before the second factor was set up elsewhere."""
    at_headquarters(chain.hanne)
    elsewhere = signed_in(chain.hanne)
    answer = elsewhere.get("/hq/login/", {"next": INDEX})
    assert answer["Location"].startswith(reverse("mfa_reauthenticate"))
    prove(elsewhere, chain.hanne)
    assert elsewhere.get(INDEX).status_code == 200


def test_a_proof_without_a_second_factor_left_counts_for_nothing(chain: Chain) -> None:
    client = at_headquarters(chain.hanne)
    Authenticator.objects.all().delete()
    assert client.get(INDEX).status_code == 302


def test_the_demo_asks_for_none_and_says_so_on_every_page(chain: Chain, settings: Any) -> None:
    settings.DEMO = True
    client = signed_in(chain.hanne)
    for url in (INDEX, "/hq/stores/store/", f"/hq/stores/store/{chain.oslo.pk}/change/", "/hq/stores/store/open_store/"):
        assert "no second factor is asked for" in client.get(url).content.decode()


def test_nothing_of_the_demo_is_said_otherwise(chain: Chain) -> None:
    assert "Demonstration" not in at_headquarters(chain.hanne).get(INDEX).content.decode()


def test_an_ended_role_closes_the_door_on_the_next_page(chain: Chain) -> None:
    client = at_headquarters(chain.hanne)
    assert client.get(INDEX).status_code == 200
    for held in chain.hanne.memberships.all():
        people.leave_store(held, reason="left the company", by=chain.by)
    assert client.get(INDEX, follow=True).status_code == 403


def test_an_inactive_person_is_nobody(chain: Chain) -> None:
    client = at_headquarters(chain.hanne)
    User.objects.filter(pk=chain.hanne.pk).update(is_active=False)
    assert client.get(INDEX).status_code == 302


def test_no_page_of_the_admin_opens_with_a_password_alone(chain: Chain) -> None:
    """Every address of the admin, crawled."""
    client = signed_in(chain.hanne)
    seen = 0
    for path in _addresses(chain):
        seen += 1
        answer = client.get(path)
        assert answer.status_code in (302, 404), path
        assert "<table" not in answer.content.decode(), path
    assert seen > 60


def _addresses(chain: Chain) -> list[str]:
    found = []

    def walk(patterns: list[URLPattern | URLResolver], base: str) -> None:
        for pattern in patterns:
            route = str(pattern.pattern).lstrip("^").removesuffix("$").removesuffix("\\Z")
            for name in ("<path:object_id>", "<path:content_type_id>"):
                route = route.replace(name, str(chain.oslo.pk))
            route = route.replace("(?P<app_label>stores|refunds)", "stores").replace("(?P<url>.*)", "nowhere")
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, base + route)
            elif "login" not in route:
                found.append(base + route)

    [admin] = [p for p in get_resolver().url_patterns if isinstance(p, URLResolver) and p.namespace == "admin"]
    walk(admin.url_patterns, "/hq/")
    return found


AUDITORS_PAGES = [
    *("company", "store", "salesunit", "keyset", "storesystem", "apikey", "user", "membership", "order"),
    *("orderconflict", "entry", "chain", "lookup"),
]


def test_the_auditor_sees_everything_and_changes_nothing(chain: Chain) -> None:
    people.join_headquarters(chain.per, chain.company, role=Role.AUDITOR, by=chain.by)
    client = at_headquarters(chain.per)
    for name in AUDITORS_PAGES:
        assert client.get(f"/hq/stores/{name}/").status_code == 200, name
    assert client.get("/hq/refunds/refund/").status_code == 200
    verbs = 0
    for page in site._registry.values():
        for action in (*page._get_base_actions_list(), *page._get_base_actions_detail()):
            base = f"/hq/{page.model._meta.app_label}/{page.model._meta.model_name}/"
            row = "" if action in page._get_base_actions_list() else "1/"
            assert client.get(f"{base}{row}{action.path}/").status_code == 403, action.action_name
            assert client.post(f"{base}{row}{action.path}/").status_code == 403, action.action_name
            verbs += 1
    assert verbs >= 16


@pytest.mark.parametrize(
    ("role", "closed"),
    [
        (Role.FINANCE, {"order", "entry", "chain", "lookup"}),
        (Role.OPERATOR, {"entry", "chain", "lookup"}),
        (Role.SECURITY, {"order"}),
    ],
)
def test_each_role_sees_its_own_pages(chain: Chain, role: Role, closed: set[str]) -> None:
    people.join_headquarters(chain.per, chain.company, role=role, by=chain.by)
    client = at_headquarters(chain.per)
    for name in AUDITORS_PAGES:
        expected = 403 if name in closed else 200
        assert client.get(f"/hq/stores/{name}/").status_code == expected, name
        is_listed = f'href="/hq/stores/{name}/"' in client.get(INDEX).content.decode()
        assert is_listed == (name not in closed), name


def test_another_companys_rows_are_not_there(chain: Chain) -> None:
    other = Company.objects.create(name="Sydlys")
    theirs = registry.open_store(
        other, code="CPH", name="Sydlys Kbh", city="København", country="DK", time_zone="Europe/Copenhagen", by=chain.by
    )
    client = at_headquarters(chain.hanne)
    assert "Sydlys" not in client.get("/hq/stores/store/").content.decode()
    assert client.get(f"/hq/stores/store/{theirs.pk}/change/").status_code == 302
    assert client.post(f"/hq/stores/store/{theirs.pk}/close_store/", {"reason": "x"}).status_code == 404
    assert "Sydlys" not in client.get("/hq/stores/company/").content.decode()
    assert Store.objects.get(pk=theirs.pk).is_open


def test_autocomplete_offers_the_companys_own_stores_only(chain: Chain) -> None:
    other = Company.objects.create(name="Sydlys")
    registry.open_store(
        other, code="CPH", name="Sydlys Kbh", city="København", country="DK", time_zone="Europe/Copenhagen", by=chain.by
    )
    found = at_headquarters(chain.hanne).get(
        "/hq/autocomplete/", {"app_label": "stores", "model_name": "order", "field_name": "store", "term": "lys"}
    )
    names = [row["text"] for row in found.json()["results"]]
    assert "Nordlys Oslo (OSL)" in names
    assert not [name for name in names if "Sydlys" in name]


def test_no_list_names_another_companys_stores(chain: Chain) -> None:
    people.join_headquarters(chain.per, chain.company, role=Role.AUDITOR, by=chain.by)
    other = Company.objects.create(name="Sydlys")
    theirs = registry.open_store(
        other, code="CPH", name="Sydlys Kbh", city="København", country="DK", time_zone="Europe/Copenhagen", by=chain.by
    )
    person = User.objects.create(username="soren", first_name="Søren of Sydlys")
    people.join_store(person, theirs, role=Role.MANAGER, by=chain.by)
    auditor, hanne = at_headquarters(chain.per), at_headquarters(chain.hanne)
    for name in AUDITORS_PAGES:
        assert "Sydlys" not in auditor.get(f"/hq/stores/{name}/").content.decode(), name
    assert "Sydlys" not in auditor.get("/hq/refunds/refund/").content.decode()
    for form in ("user/add_person", "salesunit/add_unit", "storesystem/add_system"):
        assert "Sydlys" not in hanne.get(f"/hq/stores/{form}/").content.decode(), form


@pytest.mark.parametrize(
    "address",
    [
        "/hq/stores/user/?password__startswith=argon2",
        "/hq/stores/user/?memberships__company__name=Sydlys",
        "/hq/stores/apikey/?digest__isnull=False",
        "/hq/stores/store/?company__name=Sydlys",
        "/hq/stores/entry/?canonical__contains=secret",
    ],
)
def test_a_list_answers_only_what_its_filters_ask(chain: Chain, address: str) -> None:
    for role in (Role.AUDITOR, Role.FINANCE):
        people.join_headquarters(chain.hanne, chain.company, role=role, by=chain.by)
    assert at_headquarters(chain.hanne).get(address).status_code == 400


def test_pages_load_nothing_from_elsewhere_and_cannot_be_framed(chain: Chain) -> None:
    answer = at_headquarters(chain.hanne).get(INDEX)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert "no-store" in answer["Cache-Control"]
