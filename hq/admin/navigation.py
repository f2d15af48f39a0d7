"""The admin's sidebar, grouped by what one is doing; a page one may not see is not listed."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from hq.admin.asking import may
from hq.languages import HEADQUARTERS
from stores.access import Right


def _if_may(right: Right) -> Callable[[HttpRequest], bool]:
    return lambda request: may(request, right)


def _page(title: Any, icon: str, table: str, right: Right = Right.SEE_HQ) -> dict[str, Any]:
    link = reverse_lazy(f"admin:{table}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": _if_may(right)}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's navigation for the asker."""
    return [
        {
            "items": [
                {"title": _("Work to do"), "icon": "inbox", "link": reverse_lazy("admin:index")},
                _page(_("Refunds"), "undo", "refunds_refund"),
                _page(_("Orders"), "receipt_long", "stores_order", Right.SEARCH_ORDERS),
                _page(_("Imports of orders"), "upload_file", "stores_orderimport"),
                _page(_("Contradictions"), "sync_problem", "stores_orderconflict"),
                _page(_("Payments without a store"), "location_off", "stores_unplacedpayment"),
                {
                    "title": _("Clearing"),
                    "icon": "swap_horiz",
                    "link": reverse_lazy("admin:clearing"),
                    "permission": _if_may(Right.SEE_HQ),
                },
            ]
        },
        {
            "title": _("What stops refunds"),
            "items": [
                _page(_("Limits"), "rule", "refunds_policyversion"),
                _page(_("Pauses"), "pause_circle", "refunds_pause"),
                _page(_("Circuit breakers"), "electrical_services", "refunds_breaker"),
                _page(_("Orders on hold"), "lock", "refunds_orderaccount"),
                _page(_("Restores"), "settings_backup_restore", "refunds_restoreepoch"),
            ],
        },
        {
            "title": _("Reconciliation"),
            "items": [
                _page(_("Differences"), "difference", "refunds_difference"),
                _page(_("Refunded elsewhere"), "call_split", "refunds_outsiderefund"),
                _page(_("Settlements"), "account_balance", "stores_settlementaccess"),
            ],
        },
        {
            "title": _("The chain"),
            "items": [
                _page(_("Company"), "domain", "stores_company"),
                _page(_("Stores"), "storefront", "stores_store"),
                _page(_("Sales units"), "point_of_sale", "stores_salesunit"),
                _page(_("Key sets"), "key", "stores_keyset"),
                _page(_("Store systems"), "dns", "stores_storesystem"),
                _page(_("API keys"), "vpn_key", "stores_apikey"),
            ],
        },
        {
            "title": _("Messages"),
            "items": [
                _page(_("To store systems"), "outbound", "refunds_delivery"),
                _page(_("Where they listen"), "webhook", "refunds_webhookendpoint"),
                _page(_("From Vipps"), "move_to_inbox", "stores_notice"),
                _page(_("Payments to read"), "sync", "stores_paymenttoread"),
                _page(_("Addresses given to Vipps"), "alternate_email", "stores_webhookregistration"),
                _page(_("Watch over addresses"), "visibility", "stores_registrationwatch"),
            ],
        },
        {
            "title": _("People"),
            "items": [
                _page(_("People"), "group", "stores_user"),
                _page(_("Roles"), "badge", "stores_membership"),
            ],
        },
        {
            "title": _("Accountability"),
            "items": [
                _page(_("Trail"), "history", "stores_entry", Right.SEE_TRAIL),
                _page(_("Chains"), "link", "stores_chain", Right.SEE_TRAIL),
                _page(_("Look-ups"), "search", "stores_lookup", Right.SEE_TRAIL),
            ],
        },
    ]


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """What one can do with one's own account."""
    return [
        {"title": _("Go to the desk"), "link": "/desk/"},
        {"title": _("Change password"), "link": reverse_lazy("account_change_password")},
        {"title": _("Second factor"), "link": reverse_lazy("mfa_index")},
    ]


def environment(request: HttpRequest) -> list[Any]:
    """Unfold's badge in the header while this is a demonstration."""
    return [_("Demonstration"), "warning"]


def style_sheet(request: HttpRequest) -> str:
    """What Unfold's own style sheet does not have."""
    return static("hq/admin.css")


def languages(request: HttpRequest) -> list[dict[str, Any]]:
    """What the switch offers here: the languages that these pages are whole in."""
    return [get_language_info(code) for code in HEADQUARTERS]
