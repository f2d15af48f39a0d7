"""When Vipps says no: each refusal in the cashier's words, and what she can do next. The one table of them.

Keys are the outcomes of declined refunds and releases: the hub's own words for what it read at Vipps before anything was sent,
and "vipps_" with Vipps' code (Vipps: ePayment API and eCom API, errors pages).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """What happened, for the cashier to tell the customer; and what she does now."""

    what: Promise
    next_step: Promise


def refusal_of_refund(outcome: str) -> Refusal:
    """Why a refund was declined; an outcome that nobody has named yet is headquarters' to read."""
    return OF_REFUNDS.get(outcome, _REFUND_OTHERWISE)


def refusal_of_release(outcome: str) -> Refusal:
    """The same of a release."""
    return OF_RELEASES.get(outcome, _RELEASE_OTHERWISE)


def _each(refusal: Refusal, *outcomes: str) -> dict[str, Refusal]:
    return dict.fromkeys(outcomes, refusal)


_ASK_HEADQUARTERS = _("Ask headquarters. It sees Vipps' own code and can say how the customer gets the money.")
_SETTLE_OTHERWISE = _("Settle with the customer in another way; ask your manager how.")
_ANOTHER_KIND = (
    *("vipps_6030", "vipps_6040", "vipps_6050", "vipps_6060", "vipps_6070", "vipps_6080", "vipps_6090", "vipps_6100"),
    *("vipps_6110", "vipps_6120", "vipps_6130", "vipps_6140", "vipps_6170", "vipps_6190", "vipps_6200", "vipps_6230"),
    *("vipps_6250", "vipps_Payment 41", "vipps_Payment 42", "vipps_Payment 43", "vipps_Payment 44", "vipps_Payment 45"),
    *("vipps_Payment 51", "vipps_Payment 53", "vipps_Payment 61", "vipps_Payment 62", "vipps_Payment 96"),
    *("vipps_Payment 98", "vipps_Payment 1501", "vipps_VippsError 91", "vipps_User 82"),
)
"""Codes of other operations; if a refund is ever answered with one, the payment is in a state that does not fit."""
_TEST_ONLY = (
    *("vipps_10010", "vipps_10020", "vipps_10030", "vipps_10040", "vipps_10050", "vipps_10060", "vipps_10070"),
    "vipps_Payment 1082",
)
_SET_UP = (
    *("vipps_5010", "vipps_5020", "vipps_5030", "vipps_5050", "vipps_5060", "vipps_5070", "vipps_5080"),
    *("vipps_Merchant 38", "vipps_Merchant 39"),
)

_REFUND_OTHERWISE = Refusal(
    what=_("Vipps refused the refund and nothing was refunded."),
    next_step=_ASK_HEADQUARTERS,
)
_NOT_SET_UP = Refusal(
    what=_("Vipps does not let the hub act for the selling store. Nothing was refunded."),
    next_step=_("Ask headquarters to set the store right at Vipps; then refund again."),
)
_SHUT = Refusal(
    what=_("Vipps has shut the selling store's sales unit. Nothing was refunded."),
    next_step=_("Ask headquarters. It has to settle this with Vipps, or say how the customer gets the money instead."),
)
_CUSTOMER_GONE = Refusal(
    what=_("The customer can no longer receive money through Vipps MobilePay. Nothing was refunded."),
    next_step=_SETTLE_OTHERWISE,
)

OF_REFUNDS: Mapping[str, Refusal] = {
    **_each(
        Refusal(
            what=_("The order was already refunded outside the hub. Nothing was refunded now."),
            next_step=_("Look in the store's own records, and let the customer look in the app: the money is on its way."),
        ),
        *("refunded_elsewhere", "vipps_6180"),
    ),
    **_each(
        Refusal(
            what=_("Less is left of the payment at Vipps than you asked for. Nothing was refunded."),
            next_step=_("Open the order again: it shows what is left. Then refund a smaller amount."),
        ),
        *("exceeds_captured", "vipps_6150", "vipps_Payment 71"),
    ),
    **_each(
        Refusal(
            what=_("The money was never taken, only reserved."),
            next_step=_("There is nothing to refund: release it from the order's page."),
        ),
        *("not_captured", "vipps_6020", "vipps_Payment 72"),
    ),
    "vipps_Payment 73": Refusal(
        what=_("The payment was cancelled at Vipps: no money was taken and nothing was refunded."),
        next_step=_("Let the customer look in the app. There is nothing to give back."),
    ),
    "vipps_6260": Refusal(
        what=_("The customer's bank has let the reservation go: no money was taken and nothing was refunded."),
        next_step=_("Let the customer look in the app. There is nothing to give back."),
    ),
    **_each(
        Refusal(
            what=_("The payment is in a state in which Vipps does not refund it. Nothing was refunded."),
            next_step=_ASK_HEADQUARTERS,
        ),
        *("vipps_6210", *_ANOTHER_KIND),
    ),
    **_each(
        Refusal(
            what=_("The payment is older than 365 days. Vipps no longer refunds it."),
            next_step=_SETTLE_OTHERWISE,
        ),
        *("vipps_6220", "vipps_Payment 95"),
    ),
    "vipps_6010": Refusal(
        what=_("The amount is smaller than Vipps refunds. Nothing was refunded."),
        next_step=_("Refund a larger amount, or settle with the customer in another way."),
    ),
    **_each(
        Refusal(
            what=_("Vipps could not take the money from the selling store's account. Nothing was refunded."),
            next_step=_("Try again tomorrow. If the customer cannot wait, ask headquarters."),
        ),
        *("vipps_Payment 74", "vipps_Merchant 32"),
    ),
    "vipps_Merchant 33": Refusal(
        what=_("Vipps has had too many requests about this customer today. Nothing was refunded."),
        next_step=_("Try again tomorrow. If the customer cannot wait, ask headquarters."),
    ),
    "failed_at_vipps": Refusal(
        what=_("Vipps took the refund in and then reported that it failed. Nothing was refunded."),
        next_step=_("The customer's card or account may be gone. Ask headquarters how the customer gets the money."),
    ),
    **_each(_CUSTOMER_GONE, "vipps_User 81", "vipps_7010"),
    **_each(
        Refusal(
            what=_("Vipps does not know this payment. Nothing was refunded."),
            next_step=_("Check the number on the receipt, and whether it was paid with Vipps MobilePay."),
        ),
        *("payment_not_found", "vipps_5090", "vipps_Merchant 35"),
    ),
    "vipps_5100": Refusal(
        what=_("Vipps does not refund payments of the selling store: its sales unit is not set up for it."),
        next_step=_("Ask headquarters to set the store right at Vipps; then refund again."),
    ),
    **_each(_NOT_SET_UP, "store_misconfigured", "misconfigured", *_SET_UP),
    **_each(_SHUT, "vipps_Merchant 31", "vipps_Merchant 36", "vipps_Merchant 37", "vipps_Merchant 97"),
    **_each(
        Refusal(
            what=_("The payment is in another currency at Vipps. Nothing was refunded."),
            next_step=_("Ask headquarters: the order's currency has to be set right first."),
        ),
        *("other_currency", "vipps_5040"),
    ),
    **_each(_REFUND_OTHERWISE, "refused", *_TEST_ONLY),
    "settled_by_people": Refusal(
        what=_("Two people at headquarters found that Vipps refunded nothing."),
        next_step=_("It may be asked for again from the order's page."),
    ),
}

_RELEASE_OTHERWISE = Refusal(
    what=_("Vipps refused the release and nothing was released."),
    next_step=_("Ask headquarters. It sees Vipps' own code. What nobody takes goes back to the customer by itself."),
)
_RELEASE_TAKEN = Refusal(
    what=_("The money has been taken, so it can no longer be released."),
    next_step=_("Refund it from the order's page."),
)
_NOTHING_RESERVED = Refusal(
    what=_("Vipps holds no reservation for this payment any more. Nothing was taken and nothing was released now."),
    next_step=_("Let the customer look in the app. There is nothing to give back."),
)
_RELEASE_NOT_SET_UP = Refusal(
    what=_("Vipps does not let the hub act for the selling store. Nothing was released."),
    next_step=_("Ask headquarters to set the store right at Vipps; then release it again."),
)

OF_RELEASES: Mapping[str, Refusal] = {
    **_each(_RELEASE_OTHERWISE, *(outcome for outcome in OF_REFUNDS if outcome.startswith("vipps_"))),
    **_each(_RELEASE_OTHERWISE, "refused", "failed_at_vipps"),
    **_each(_RELEASE_TAKEN, "captured_meanwhile", "vipps_6040", "vipps_Payment 51"),
    "captured_in_part": Refusal(
        what=_("A part was taken before the release; only the rest was released."),
        next_step=_("Refund the part taken from the order's page."),
    ),
    **_each(
        _NOTHING_RESERVED,
        *("nothing_reserved", "vipps_6050", "vipps_6060", "vipps_6190", "vipps_6260", "vipps_Payment 53"),
    ),
    "vipps_6030": Refusal(
        what=_("It is too late to release it through Vipps."),
        next_step=_("The customer's bank lets the reservation go by itself. There is nothing more to do here."),
    ),
    **_each(
        Refusal(
            what=_("Vipps does not know this payment. Nothing was released."),
            next_step=_("Check the number on the receipt, and whether it was paid with Vipps MobilePay."),
        ),
        *("payment_not_found", "vipps_5090", "vipps_Merchant 35"),
    ),
    **_each(_RELEASE_NOT_SET_UP, "store_misconfigured", "misconfigured", "vipps_5100", *_SET_UP),
    **_each(
        Refusal(
            what=_("Vipps has shut the selling store's sales unit. Nothing was released."),
            next_step=_("Ask headquarters. What nobody takes goes back to the customer by itself."),
        ),
        *("vipps_Merchant 31", "vipps_Merchant 36", "vipps_Merchant 37", "vipps_Merchant 97"),
    ),
    **_each(
        Refusal(
            what=_("The payment is in another currency at Vipps. Nothing was released."),
            next_step=_("Ask headquarters: the order's currency has to be set right first."),
        ),
        *("other_currency", "vipps_5040"),
    ),
    "settled_by_people": Refusal(
        what=_("Two people at headquarters found that Vipps released nothing."),
        next_step=_("It may be asked for again from the order's page."),
    ),
}
