"""What headquarters does: every change is a verb, with an entry in the trail, a reason where one is due, and no secret back."""

import pytest
from django.test import Client

from stores import audit, keys, pins
from stores.models import Company, Entry, Membership, Role, SalesUnit, Store, StoreSystem, User
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters

FROM = {"valid_from_0": "2026-01-01", "valid_from_1": "00:00"}


@pytest.fixture
def hanne(chain: Chain) -> Client:
    """Hanne at headquarters, her second factor just proven."""
    return at_headquarters(chain.hanne)


def last_sentence() -> str:
    entry = Entry.objects.order_by("-id").first()
    assert entry is not None
    return audit.sentence_of(entry)


def test_a_store_is_opened(chain: Chain, hanne: Client) -> None:
    form = {"code": "SVG", "name": "Nordlys Stavanger", "city": "Stavanger", "country": "NO", "time_zone": "Europe/Oslo"}
    answer = hanne.post("/hq/stores/store/open_store/", form, follow=True)
    assert "Nordlys Stavanger (SVG) is open in the hub." in answer.content.decode()
    assert Store.objects.get(code="SVG").company == chain.company
    entry = Entry.objects.get(event="store.opened", subject_id=str(Store.objects.get(code="SVG").public_id))
    assert entry.actor_name == "Hanne"


@pytest.mark.parametrize(
    ("field", "wrong", "sentence"),
    [
        ("code", "o", "Two to twenty capital letters and digits."),
        ("code", "OSL", "already"),
        ("time_zone", "Europe/Nowhere", "No such time zone"),
        ("country", "XX", "not one of the available choices"),
    ],
)
def test_a_wrong_store_is_refused_at_its_field(chain: Chain, hanne: Client, field: str, wrong: str, sentence: str) -> None:
    form = {"code": "SVG", "name": "S", "city": "S", "country": "NO", "time_zone": "Europe/Oslo", field: wrong}
    answer = hanne.post("/hq/stores/store/open_store/", form)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert Store.objects.count() == 5


def test_closing_a_store_needs_a_reason(chain: Chain, hanne: Client) -> None:
    url = f"/hq/stores/store/{chain.oslo.pk}/close_store/"
    assert hanne.post(url, {"reason": " "}).status_code == 422
    assert hanne.get(url).status_code == 200
    chain.oslo.refresh_from_db()
    assert chain.oslo.is_open
    assert hanne.post(url, {"reason": "The lease ran out"}).status_code == 302
    chain.oslo.refresh_from_db()
    assert not chain.oslo.is_open
    assert last_sentence() == "Store OSL was closed: The lease ran out"


def test_a_sales_unit_is_added_and_shared(chain: Chain, hanne: Client) -> None:
    form = {
        "msn": "200001",
        "name": "Stavanger",
        "market": "NO",
        "environment": "simulator",
        "store": str(chain.oslo.pk),
        "reference_prefix": "OSL-",
        "channel": "online",
        **FROM,
    }
    assert hanne.post("/hq/stores/salesunit/add_unit/", form).status_code == 302
    unit = SalesUnit.objects.get(msn="200001")
    assert (unit.currency, unit.key_set) == ("NOK", None)
    share = {"store": str(chain.bergen.pk), "reference_prefix": "OSL-2", "channel": "online", **FROM}
    refused = hanne.post(f"/hq/stores/salesunit/{unit.pk}/share_unit/", share)
    assert refused.status_code == 422, "one prefix starts with the other"
    assert unit.store_units.count() == 1
    share["reference_prefix"] = "BGO-"
    assert hanne.post(f"/hq/stores/salesunit/{unit.pk}/share_unit/", share).status_code == 302
    assert set(unit.store_units.values_list("prefix", flat=True)) == {"OSL-", "BGO-"}


def test_a_store_system_is_added_with_the_scopes_that_were_ticked(chain: Chain, hanne: Client) -> None:
    form = {"store": str(chain.bergen.pk), "name": "Web shop", "scopes": ["orders:write", "refunds:read"]}
    assert hanne.post("/hq/stores/storesystem/add_system/", form).status_code == 302
    system = StoreSystem.objects.get(name="Web shop")
    assert (system.store, system.scopes) == (chain.bergen, ["orders:write", "refunds:read"])
    assert hanne.post("/hq/stores/storesystem/add_system/", {**form, "scopes": ["all"]}).status_code == 422


def test_a_person_is_added_and_sets_her_own_password(chain: Chain, hanne: Client) -> None:
    form = {
        "username": "nina",
        "first_name": "Nina",
        "last_name": "Nes",
        "email": "",
        "store": str(chain.oslo.pk),
        "role": "cashier",
    }
    answer = hanne.post("/hq/stores/user/add_person/", form)
    nina = User.objects.get(username="nina")
    assert not nina.has_usable_password()
    assert last_sentence() == "Nina Nes got the role cashier in OSL."
    page = answer.content.decode()
    link = page[page.index("http://testserver/accounts/password/reset/key/") :].split("<")[0]
    visitor = Client()
    landed = visitor.get(link, follow=True)
    chosen = "a long enough pass phrase of Nina"
    set_to = visitor.post(landed.redirect_chain[-1][0], {"password1": chosen, "password2": chosen})
    assert set_to.status_code == 302
    nina.refresh_from_db()
    assert nina.check_password(chosen)
    again = Client().get(link, follow=True)
    assert "password1" not in again.content.decode(), "the link works once"


def test_a_person_is_not_made_without_a_fitting_role(chain: Chain, hanne: Client) -> None:
    form = {"username": "nina", "first_name": "Nina", "last_name": "Nes", "store": "", "role": "cashier"}
    answer = hanne.post("/hq/stores/user/add_person/", form)
    assert answer.status_code == 422
    assert "belong to a store" in answer.content.decode()
    assert hanne.post("/hq/stores/user/add_person/", {**form, "username": "Kari", "role": "finance"}).status_code == 422
    assert not User.objects.filter(first_name="Nina").exists()


def test_a_sign_in_link_is_in_the_trail(chain: Chain, hanne: Client) -> None:
    answer = hanne.post(f"/hq/stores/user/{chain.kari.pk}/make_link/")
    assert "/accounts/password/reset/key/" in answer.content.decode()
    assert last_sentence() == "A link to set a new password was made for Kari."
    assert "/reset/key/" not in Entry.objects.latest("id").canonical


def test_a_pin_that_was_seen_is_ended_with_a_reason(chain: Chain, hanne: Client) -> None:
    page = f"/hq/stores/user/{chain.kari.pk}/"
    assert "End the PIN" not in hanne.get(f"{page}change/").content.decode()
    pins.choose(chain.kari, "730518", by=chain.by)
    assert "End the PIN" in hanne.get(f"{page}change/").content.decode()
    assert hanne.post(f"{page}end_pin/", {"reason": ""}).status_code == 422
    assert pins.may_prove(chain.kari)
    assert hanne.post(f"{page}end_pin/", {"reason": "written on the till"}).status_code == 302
    assert not pins.may_prove(chain.kari)
    assert last_sentence() == "The PIN of Kari was ended: written on the till"
    assert hanne.post(f"{page}end_pin/", {"reason": "again"}).status_code == 403


def test_roles_are_given_changed_and_ended(chain: Chain, hanne: Client) -> None:
    give = {"store": str(chain.bergen.pk), "role": "cashier"}
    assert hanne.post(f"/hq/stores/user/{chain.kari.pk}/give_role/", give).status_code == 302
    held = Membership.objects.get(user=chain.kari, store=chain.bergen, ended_at=None)
    assert hanne.post(f"/hq/stores/membership/{held.pk}/change_role/", {"role": "manager"}).status_code == 302
    now = Membership.objects.get(user=chain.kari, store=chain.bergen, ended_at=None)
    assert now.role == Role.MANAGER
    assert hanne.post(f"/hq/stores/membership/{now.pk}/end_role/", {"reason": ""}).status_code == 422
    assert hanne.post(f"/hq/stores/membership/{now.pk}/end_role/", {"reason": "Moved"}).status_code == 302
    assert not Membership.objects.filter(user=chain.kari, store=chain.bergen, ended_at=None).exists()
    assert last_sentence() == "Kari left BGO (was manager): Moved"


def test_nobody_gives_herself_a_role(chain: Chain, hanne: Client) -> None:
    answer = hanne.post(f"/hq/stores/user/{chain.hanne.pk}/give_role/", {"store": "", "role": "finance"})
    assert answer.status_code == 422
    assert "Nobody changes their own roles" in answer.content.decode()
    assert not chain.hanne.memberships.filter(role=Role.FINANCE).exists()


def test_a_form_from_another_site_is_refused(chain: Chain) -> None:
    insider = at_headquarters(chain.hanne)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = insider.cookies
    answer = strict.post(f"/hq/stores/store/{chain.oslo.pk}/close_store/", {"reason": "x"})
    assert answer.status_code == 403
    chain.oslo.refresh_from_db()
    assert chain.oslo.is_open


def test_names_are_shown_as_text_never_as_markup(chain: Chain, hanne: Client) -> None:
    evil = "<img src=x onerror=alert(1)>"
    form = {"code": "XSS", "name": evil, "city": evil, "country": "NO", "time_zone": "Europe/Oslo"}
    assert hanne.post("/hq/stores/store/open_store/", form).status_code == 302
    store = Store.objects.get(code="XSS")
    hanne.post(f"/hq/stores/store/{store.pk}/close_store/", {"reason": evil})
    keys.add_system(chain.oslo, name=evil, scopes=["orders:read"], by=chain.by)
    chain.kari.first_name = evil
    chain.kari.save()
    paths = ["/hq/stores/store/", f"/hq/stores/store/{store.pk}/change/", "/hq/stores/entry/", "/hq/stores/storesystem/"]
    paths += ["/hq/stores/user/", "/hq/stores/membership/", f"/hq/stores/user/{chain.kari.pk}/give_role/"]
    for path in paths:
        page = hanne.get(path).content.decode()
        assert "<img src=x" not in page, path
        assert "&lt;img src=x" in page, path


def test_signing_out_ends_the_session(chain: Chain, hanne: Client) -> None:
    assert hanne.post("/hq/logout/")["Location"].startswith("/accounts/login/")
    assert hanne.get("/hq/").status_code == 302


def test_headquarters_writes_what_receipts_say(chain: Chain, hanne: Client) -> None:
    url = f"/hq/stores/store/{chain.oslo.pk}/describe_store/"
    form = {"address": "Storgata 1, 0155 Oslo", "legal_name": "Nordlys Oslo AS", "organisation_number": "987 654 321 MVA"}
    assert hanne.post(url, form).status_code == 302
    chain.oslo.refresh_from_db()
    assert chain.oslo.address == "Storgata 1, 0155 Oslo"
    assert chain.oslo.seller == ("Nordlys Oslo AS", "987 654 321 MVA")
    told = "Receipts of store OSL now say: Nordlys Oslo AS, 987 654 321 MVA, Storgata 1, 0155 Oslo."
    assert last_sentence() == told
    assert "Nordlys Oslo AS" in hanne.get(url).content.decode(), "the form shows what is there"
    assert hanne.post(url, {**form, "organisation_number": "<b>"}).status_code == 422
    assert last_sentence() == told, "nothing was written"


def test_a_store_that_is_no_company_shows_the_chains_number(chain: Chain, hanne: Client) -> None:
    url = f"/hq/stores/company/{chain.company.pk}/describe_company/"
    assert hanne.post(url, {"organisation_number": "912 000 001 MVA"}).status_code == 302
    assert last_sentence() == "Receipts of Nordlys now say the organisation number 912 000 001 MVA."
    assert Store.objects.select_related("company").get(code="OSL").seller == ("Nordlys", "912 000 001 MVA")
    franchise = Store.objects.select_related("company").get(code="BGO")
    franchise.legal_name = "Bryggen Handel AS"
    assert franchise.seller == ("Bryggen Handel AS", ""), "never one's name with another's number"


def test_another_chains_company_is_not_hers_to_describe(chain: Chain, hanne: Client) -> None:
    other = Company.objects.create(name="Other")
    url = f"/hq/stores/company/{other.pk}/describe_company/"
    assert hanne.post(url, {"organisation_number": "1"}).status_code == 404
    other.refresh_from_db()
    assert other.organisation_number == ""


def test_how_references_are_written_is_set_checked_and_recorded(chain: Chain, hanne: Client) -> None:
    url = f"/hq/stores/company/{chain.company.pk}/set_reference_template/"
    assert hanne.post(url, {"template": "{store}-{yyyymmdd}-{number}"}).status_code == 302
    told = "References of Nordlys are from now on taken to be written {store}-{yyyymmdd}-{number}."
    assert last_sentence() == told
    assert "{store}-{yyyymmdd}-{number}" in hanne.get(url).content.decode(), "the form shows what is there"
    refused = hanne.post(url, {"template": "{number}"})
    assert refused.status_code == 422
    assert "Name the store or the year" in refused.content.decode()
    assert last_sentence() == told, "nothing was written"
    assert hanne.post(url, {"template": ""}).status_code == 302
    chain.company.refresh_from_db()
    assert chain.company.reference_template == ""
