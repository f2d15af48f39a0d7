"""Messages at headquarters: where store systems listen, what became of each message, and what Vipps was given."""

import pytest
from django.test import Client

from refunds import doorbell, outbound
from refunds.models import Delivery, WebhookEndpoint
from stores import audit, people
from stores.models import Entry, Notice, Role, Secret, WebhookRegistration
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters
from tests.refunds.asking import ask, run
from tests.vipps_notices import SECRET, VIPPS, body_of

URL = "https://till.example/hooks"
REFERENCE = "BGO-20261101-6001"


@pytest.fixture
def hanne(chain: Chain) -> Client:
    """Hanne at headquarters, her second factor just proven."""
    return at_headquarters(chain.hanne)


def last_sentence() -> str:
    entry = Entry.objects.order_by("-id").first()
    assert entry is not None
    return audit.sentence_of(entry)


def test_a_store_system_is_given_an_address_and_its_secret_is_shown_once(chain: Chain, hanne: Client) -> None:
    system = chain.systems["OSL"]
    shown = hanne.post("/hq/refunds/webhookendpoint/add_endpoint/", {"system": system.pk, "url": URL})
    assert shown.status_code == 200
    assert "no-store" in shown["Cache-Control"]
    assert "whsec_" in shown.content.decode()
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.system, endpoint.url) == (system, URL)
    assert last_sentence() == f"Till OSL is told of refunds at {URL}."
    page = hanne.get(f"/hq/refunds/webhookendpoint/{endpoint.pk}/change/").content.decode()
    assert URL in page
    assert "whsec_" not in page
    assert "whsec_" not in "".join(entry.canonical for entry in Entry.objects.all())


@pytest.mark.parametrize("url", ["http://till.example/", "https://10.0.0.1/", "till.example", "https://user@till.example/"])
def test_an_address_that_will_not_do_is_refused_at_its_field(chain: Chain, hanne: Client, url: str) -> None:
    answer = hanne.post("/hq/refunds/webhookendpoint/add_endpoint/", {"system": chain.systems["OSL"].pk, "url": url})
    assert answer.status_code == 422
    assert "https://" in answer.content.decode() or "public internet" in answer.content.decode()
    assert not WebhookEndpoint.objects.exists()


def test_switching_off_needs_a_reason(chain: Chain, hanne: Client) -> None:
    endpoint = outbound.add_endpoint(chain.systems["OSL"], url=URL, by=chain.by).endpoint
    page = f"/hq/refunds/webhookendpoint/{endpoint.pk}/end/"
    assert hanne.post(page, {"reason": ""}).status_code == 422
    assert hanne.post(page, {"reason": "new till"}).status_code == 302
    endpoint.refresh_from_db()
    assert not endpoint.is_active
    assert last_sentence() == f"Till OSL is no longer told of refunds at {URL}: new till"


def test_a_message_that_was_given_up_is_seen_and_sent_again(chain: Chain, hanne: Client) -> None:
    outbound.add_endpoint(chain.systems["OSL"], url=URL, by=chain.by)
    run(ask(chain.sold(chain.bergen, REFERENCE, 50_000), 20_000, who=chain.kari, store=chain.oslo).refund)
    delivery = Delivery.objects.get()
    again = f"/hq/refunds/delivery/{delivery.pk}/send_again/"
    assert hanne.post(again).status_code == 403, "it still waits for its first try"
    Delivery.objects.update(next_try_at=None, tries=10, last_status=500, problem="HTTP 500")
    work = {kind.title: kind.count for kind in hanne.get("/hq/").context["work"]}
    assert work["Messages given up"] == 1
    listed = hanne.get("/hq/refunds/delivery/", {"outcome": "given_up"}).content.decode()
    assert "given up" in listed
    assert f"/hq/refunds/delivery/{delivery.pk}/change/" in listed
    page = hanne.get(f"/hq/refunds/delivery/{delivery.pk}/change/").content.decode()
    assert "HTTP 500" in page
    assert "send_again" in page
    assert hanne.post(again).status_code == 302
    delivery.refresh_from_db()
    assert delivery.next_try_at is not None
    assert delivery.tries == 0
    assert f"{delivery.pk}/change/" not in hanne.get("/hq/refunds/delivery/", {"outcome": "given_up"}).content.decode()
    assert audit.verify().bad is None


def test_an_address_for_vipps_is_made_confirmed_and_ended(chain: Chain, hanne: Client) -> None:
    unit = chain.units["BGO"]
    made = hanne.post(
        "/hq/stores/webhookregistration/open_registration/",
        {"subject": f"unit-{unit.pk}", "base_url": "https://refunds.example"},
    )
    registration = WebhookRegistration.objects.get()
    assert made["Location"] == f"/hq/stores/webhookregistration/{registration.pk}/change/"
    assert registration.url == f"https://refunds.example/hooks/vipps/{registration.token}"
    assert registration.url in hanne.get(made["Location"]).content.decode()
    page = f"/hq/stores/webhookregistration/{registration.pk}/confirm/"
    assert hanne.get(page).content.decode().count('type="password"') == 1
    assert hanne.post(page, {"provider_id": "vipps-7", "secret": SECRET}).status_code == 302
    assert hanne.post(page, {"provider_id": "vipps-7", "secret": SECRET}).status_code == 422, "once only"
    VIPPS.send(registration.url, body_of(unit.msn, REFERENCE))
    notice = Notice.objects.get()
    doorbell.answer(notice.pk)
    listed = hanne.get("/hq/stores/notice/").content.decode()
    assert "genuine" in listed
    assert REFERENCE in listed
    assert hanne.get(f"/hq/stores/notice/{notice.pk}/change/").status_code == 200
    end = f"/hq/stores/webhookregistration/{registration.pk}/end/"
    assert hanne.post(end, {"reason": "moved"}).status_code == 302
    pages = [hanne.get(path).content.decode() for path in (made["Location"], "/hq/stores/webhookregistration/")]
    told = [*pages, *(entry.canonical for entry in Entry.objects.all())]
    assert not [text for text in told if SECRET in text]
    assert SECRET.encode() not in b"".join(bytes(row.sealed) for row in Secret.objects.all())


@pytest.mark.parametrize("base_url", ["http://refunds.example", "refunds.example", "https://", "https://u:p@refunds.example"])
def test_vipps_is_given_https_only(chain: Chain, hanne: Client, base_url: str) -> None:
    form = {"subject": f"unit-{chain.units['BGO'].pk}", "base_url": base_url}
    assert hanne.post("/hq/stores/webhookregistration/open_registration/", form).status_code == 422
    assert not WebhookRegistration.objects.exists()


def test_a_partner_registers_once_and_a_units_own_keys_do_not(chain: Chain, hanne: Client) -> None:
    partner, own = chain.units["TRD"].key_set, chain.units["BGO"].key_set
    assert partner is not None
    assert own is not None
    page = "/hq/stores/webhookregistration/open_registration/"
    assert hanne.post(page, {"subject": f"keys-{own.pk}", "base_url": "https://refunds.example"}).status_code == 422
    assert hanne.post(page, {"subject": f"keys-{partner.pk}", "base_url": "https://refunds.example"}).status_code == 302
    assert WebhookRegistration.objects.get().subject == "partner-1"


@pytest.mark.parametrize(
    "path",
    [
        *("/hq/refunds/delivery/", "/hq/refunds/webhookendpoint/", "/hq/stores/notice/"),
        *("/hq/stores/webhookregistration/", "/hq/stores/registrationwatch/"),
    ],
)
def test_finance_sees_the_lists_and_changes_nothing(chain: Chain, path: str) -> None:
    people.join_headquarters(chain.per, chain.company, role=Role.FINANCE, by=chain.by)
    client = at_headquarters(chain.per)
    assert client.get(path).status_code == 200
    assert client.get("/hq/refunds/webhookendpoint/add_endpoint/").status_code == 403
    assert client.get("/hq/stores/webhookregistration/open_registration/").status_code == 403
