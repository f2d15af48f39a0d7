"""Nothing at headquarters is added, edited or deleted but through a verb; money least of all."""

from typing import Any

import pytest
from django.apps import apps
from django.test import RequestFactory
from django.urls import reverse

from hq.admin import site
from refunds import outbound
from stores import people
from stores.models import HQ_ROLES, Role
from tests.conftest import Chain
from tests.hq.headquarters import at_headquarters
from tests.refunds.asking import ask, run
from tests.vipps_notices import VIPPS, registered

PAGES = sorted(site._registry.items(), key=lambda item: item[0]._meta.label)
SHOWN = {
    *("stores.Company", "stores.Store", "stores.SalesUnit", "stores.KeySet", "stores.StoreSystem", "stores.ApiKey"),
    *("stores.User", "stores.Membership", "stores.Order", "stores.OrderConflict", "stores.Entry", "stores.Chain"),
    *("stores.OrderImport", "stores.LookUp", "stores.WebhookRegistration", "stores.RegistrationWatch", "stores.Notice"),
    *("refunds.Refund", "refunds.WebhookEndpoint", "refunds.Delivery", "refunds.Pause", "refunds.Breaker"),
    *("refunds.OrderAccount", "refunds.RestoreEpoch", "refunds.Difference", "refunds.OutsideRefund"),
    "refunds.PolicyVersion",
    *("stores.SettlementAccess", "stores.UnplacedPayment", "stores.PaymentToRead"),
}


def test_shows_what_it_is_meant_to_and_no_more() -> None:
    """Secrets, ledger entries, attempts and sessions have no page of their own; neither have Django's own tables."""
    assert {model._meta.label for model, _page in PAGES} == SHOWN
    assert {model._meta.app_label for model, _page in PAGES} == {"stores", "refunds"}
    assert apps.get_model("stores", "Secret") not in site._registry


@pytest.mark.parametrize(("model", "page"), PAGES, ids=[model._meta.label for model, _page in PAGES])
def test_no_row_can_be_added_edited_or_deleted_by_anybody(chain: Chain, model: Any, page: Any) -> None:
    """Hanne gets every role there is, and a superuser's flag on top."""
    for role in HQ_ROLES:
        if role not in (Role.OPERATOR, Role.APPROVER, Role.SECURITY):
            people.join_headquarters(chain.hanne, chain.company, role=role, by=chain.by)
    chain.hanne.is_superuser = chain.hanne.is_staff = True
    chain.hanne.save()
    request = RequestFactory().get("/hq/")
    request.user = chain.hanne
    row = model._default_manager.first()
    assert page.has_view_permission(request)
    assert not page.has_add_permission(request)
    for thing in (None, row):
        assert not page.has_change_permission(request, thing)
        assert not page.has_delete_permission(request, thing)
    assert page.get_actions(request) == {}
    assert not page.list_editable
    for inline in page.get_inline_instances(request, row):
        assert not inline.has_add_permission(request, row)
        assert not inline.has_change_permission(request, row)
        assert not inline.has_delete_permission(request, row)


@pytest.mark.parametrize(("model", "page"), PAGES, ids=[model._meta.label for model, _page in PAGES])
def test_djangos_own_forms_are_closed(chain: Chain, model: Any, page: Any) -> None:
    client = at_headquarters(chain.hanne)
    people.join_headquarters(chain.hanne, chain.company, role=Role.AUDITOR, by=chain.by)
    outbound.add_endpoint(chain.systems["OSL"], url="https://till.example/hooks", by=chain.by)
    run(ask(chain.sold(chain.bergen, "BGO-1000-1", 25_000), 5_000, who=chain.kari, store=chain.oslo).refund)
    VIPPS.send(registered(chain.units["BGO"]).url, b"{}")
    client.get(reverse("admin:stores_order_changelist"), {"q": "BGO-1000-1"})
    base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    row = page.get_queryset(_request_of(chain)).first()
    assert client.get(reverse(f"{base}_changelist")).status_code == 200
    assert client.get(reverse(f"{base}_add")).status_code == 403
    if row is None:
        # what this test does not bring about; each of these pages has a test of its own
        assert model._meta.label in (
            *("stores.OrderConflict", "stores.ApiKey", "stores.SettlementAccess", "stores.RegistrationWatch"),
            "stores.OrderImport",
            *("stores.UnplacedPayment", "stores.PaymentToRead"),
            *("refunds.Breaker", "refunds.Difference", "refunds.OutsideRefund", "refunds.Pause", "refunds.RestoreEpoch"),
            *("refunds.ReviewProposal", "refunds.HoldProposal", "refunds.OrderAccount", "refunds.PolicyVersion"),
        )
        return
    before = model._default_manager.filter(pk=row.pk).values().get()
    assert client.get(reverse(f"{base}_change", args=[row.pk])).status_code == 200
    assert client.post(reverse(f"{base}_change", args=[row.pk]), {"name": "x"}).status_code == 403
    assert client.post(reverse(f"{base}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert model._default_manager.filter(pk=row.pk).values().get() == before


def _request_of(chain: Chain) -> Any:
    request = RequestFactory().get("/hq/")
    request.user = chain.hanne
    return request
