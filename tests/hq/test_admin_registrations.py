"""What headquarters sees of the registrations that workers keep, and its buttons, which only write rows for them."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from refunds.models import Refund
from stores import clock, people, registrations
from stores.actors import hub
from stores.models import Entry, Notice, RegistrationWatch, Role, Standing, WebhookRegistration
from stores.registering import keep_registrations
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters
from tests.refunds.asking import ask, run
from tests.vipps_notices import BASE, VIPPS, body_of, registered

LIST = "/hq/stores/webhookregistration/"
WATCHES = "/hq/stores/registrationwatch/"


@pytest.fixture
def hanne(chain: Chain, settings: Settings) -> Client:
    """Hanne at headquarters, of a hub that registers itself."""
    settings.PUBLIC_URL = BASE
    return at_headquarters(chain.hanne)


def bergens() -> WebhookRegistration:
    return WebhookRegistration.objects.filter(sales_unit__msn="100002").latest("pk")


def standing_of(registration: WebhookRegistration) -> str:
    registration.refresh_from_db()
    return registration.standing.value


def keep() -> None:
    RegistrationWatch.objects.update(next_look_at=clock.db_now())
    keep_registrations(by=hub("sweep"))


def test_the_list_says_where_each_stands_at_vipps(chain: Chain, hanne: Client) -> None:
    keep()
    assert hanne.get(LIST).content.decode().count(str(Standing.NOT_YET_SEEN.label)) == 4
    keep()
    page = hanne.get(LIST).content.decode()
    assert page.count(str(Standing.NOT_YET_SEEN.label)) == 0
    assert bergens().standing == Standing.STANDS
    assert bergens().provider_id in page
    assert RegistrationWatch.objects.get(sales_unit__msn="100002").at_vipps == 1
    assert ">stands<" in hanne.get(f"{LIST}{bergens().pk}/change/").content.decode().replace("\n", "").replace(" ", "")


def test_a_button_asks_for_a_renewal_and_a_worker_makes_it(chain: Chain, hanne: Client) -> None:
    keep()
    first = bergens()
    page = f"{LIST}{first.pk}/renew/"
    assert "registered first" in hanne.get(page).content.decode()
    assert hanne.post(page, {"reason": ""}).status_code == 422
    called = chain.simulator.calls.total()
    assert hanne.post(page, {"reason": "the secret was seen"}).status_code == 302
    assert chain.simulator.calls.total() == called, "the web calls nobody"
    assert RegistrationWatch.objects.get(sales_unit__msn="100002").next_look_at <= clock.db_now()
    keep_registrations(by=hub("sweep"))
    assert bergens().pk != first.pk
    first.refresh_from_db()
    assert first.ended_at is None
    assert "the secret was seen" in Entry.objects.get(event="webhook_registration.renewal_asked").canonical


def test_one_that_headquarters_ended_is_shown_as_still_to_be_deleted(chain: Chain, hanne: Client) -> None:
    keep()
    first = bergens()
    assert hanne.post(f"{LIST}{first.pk}/end/", {"reason": "moved"}).status_code == 302
    assert standing_of(first) == "to_be_deleted"
    keep_registrations(by=hub("sweep"))
    assert standing_of(first) == "gone"
    assert hanne.post(f"{LIST}{first.pk}/renew/", {"reason": "x"}).status_code == 422


def test_a_problem_is_work_to_do_and_told_in_the_watches(chain: Chain, hanne: Client) -> None:
    chain.simulator.arm(Fault(kind=FaultKind.FORBIDDEN, api="webhooks", msn="100002", times=None))
    keep()
    work = {str(kind.title): kind.count for kind in hanne.get("/hq/").context["work"]}
    assert work["Notices of Vipps that may not come"] == 1
    listed = hanne.get(f"{WATCHES}?problem=some").content.decode()
    assert "Misconfigured in webhooks_list (HTTP 403" in listed
    assert "100001" not in hanne.get(f"{WATCHES}?problem=some").content.decode().partition("<tbody")[2]
    assert hanne.get(f"{WATCHES}{RegistrationWatch.objects.get(sales_unit__msn='100002').pk}/change/").status_code == 200


@pytest.mark.parametrize("path", [LIST, WATCHES])
def test_without_an_address_of_its_own_the_hub_says_that_it_registers_nothing(
    chain: Chain, hanne: Client, settings: Settings, path: str
) -> None:
    assert "PUBLIC_URL is not set" not in hanne.get(path).content.decode()
    settings.PUBLIC_URL = ""
    assert "PUBLIC_URL is not set" in hanne.get(path).content.decode()


def test_silence_after_a_refund_is_shown(chain: Chain, hanne: Client) -> None:
    registration = registered(chain.units["BGO"])
    WebhookRegistration.objects.update(confirmed_at=clock.db_now() - timedelta(days=30))
    refund = run(ask(chain.sold(chain.bergen, "BGO-20261101-9501", 50_000), 20_000, who=chain.kari, store=chain.oslo).refund)
    silence = "a refund, and no notice"
    assert silence not in hanne.get(LIST).content.decode(), "it may still come"
    Refund.objects.filter(pk=refund.pk).update(ended_at=clock.db_now() - timedelta(hours=2))
    assert silence in hanne.get(LIST).content.decode()
    VIPPS.send(registration.url, body_of("100002", "BGO-20261101-9501"))
    Notice.objects.update(verdict="genuine", read_at=clock.db_now())
    assert silence not in hanne.get(LIST).content.decode()


def test_an_auditor_sees_both_lists_and_has_no_buttons(chain: Chain, hanne: Client) -> None:
    keep()
    people.join_headquarters(chain.per, chain.company, role=Role.AUDITOR, by=chain.by)
    client = at_headquarters(chain.per)
    assert [client.get(path).status_code for path in (LIST, WATCHES)] == [200, 200]
    assert client.get(f"{LIST}{bergens().pk}/renew/").status_code == 403
    assert registrations.PATH in client.get(f"{LIST}{bergens().pk}/change/").content.decode()
