"""Which answer of Vipps means which error: a table of data, so that it can be read, tested and extended row by row.

Source: Vipps ePayment API, errors page. Which HTTP status comes with which code is not published, so the code
decides only where the status leaves it open (400), and a 5xx never says more than "unsure".
"""

from __future__ import annotations

from dataclasses import dataclass

from stores.vipps.errors import (
    KeyConflict,
    Locked,
    Misconfigured,
    OurDefect,
    Refused,
    Throttled,
    Unauthorized,
    Unsure,
    VippsError,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeMeaning:
    """One ErrorCode: the error that it is in a 400 answer, and what it says in our own words."""

    error: type[VippsError]
    meaning: str


def rows(error: type[VippsError], meanings: dict[str, str]) -> dict[str, CodeMeaning]:
    return {code: CodeMeaning(error=error, meaning=meaning) for code, meaning in meanings.items()}


CODES: dict[str, CodeMeaning] = {
    # An internal error dressed as a 400 does not say that nothing happened.
    **rows(Unsure, {"3010": "internal error, often after a malformed request"}),
    **rows(
        OurDefect,
        {
            "4010": "capture retried with another body",
            "4020": "idempotency key already used",
            "4040": "invalid amount",
            "4050": "customer token is not valid",
            "4060": "personal QR code is not valid",
            "4070": "phone number is not valid",
            "4080": "scope is not valid",
            "4090": "URL is not valid",
            "4100": "too many metadata entries",
            "4110": "metadata key is too long",
            "4120": "metadata value is too long",
            "4130": "metadata key given twice",
            "4140": "a parameter that this flow needs is missing",
            "4160": "payment method is not valid for passthrough",
        },
    ),
    **rows(KeyConflict, {"4150": "reference taken, or refund retried with another body"}),
    **rows(
        Misconfigured,
        {
            "5010": "blocked payment sources are not possible in this market",
            "5020": "Express is not enabled for the sales unit",
            "5030": "scope is not permitted for the sales unit",
            "5040": "currency is not the sales unit's",
            "5050": "long-living payments are not enabled",
            "5060": "the merchant's bank account is not verified",
            "5070": "payments cannot be created with this set-up",
            "5080": "push messages are not enabled for the sales unit",
            "5090": "this sales unit has no payment with this reference",
            "5100": "the sales unit is not set up for refunds",
        },
    ),
    **rows(
        Refused,
        {
            "6010": "amount is below the minimum",
            "6020": "nothing was reserved, so nothing can be refunded",
            "6030": "too late to cancel",
            "6040": "a captured payment cannot be cancelled",
            "6050": "nothing is reserved that could be cancelled",
            "6060": "already authorized, and only an unauthorized payment was to be cancelled",
            "6070": "a cancelled payment cannot be captured",
            "6080": "nothing is reserved yet, so nothing can be captured",
            "6090": "capture exceeds what was reserved",
            "6100": "the capture deadline has passed",
            "6110": "expiry is too far ahead",
            "6120": "expiry is too soon",
            "6130": "expiry needs a receipt",
            "6140": "partial capture is not allowed for the sales unit",
            "6150": "refund exceeds what is left to refund",
            "6170": "already captured",
            "6180": "already refunded",
            "6190": "cannot be cancelled in this state",
            "6200": "cannot be captured in this state",
            "6210": "cannot be refunded in this state",
            "6220": "the refund period of 365 days is over",
            "6230": "already reserved",
            "6250": "cannot be cancelled while the customer is paying",
            "6260": "the bank has released the hold; the funds are gone",
            "7010": "the customer is not eligible",
            "10010": "test approval failed",
            "10020": "test approval is not allowed",
            "10030": "test approval needs identification",
            "10040": "test approval: payment source is not usable",
            "10050": "test approval: the test user has no card",
            "10060": "test approval: not supported for this payment",
            "10070": "test approval: limit reached",
        },
    ),
    **rows(
        Locked,
        {
            "6160": "the payment is busy with another operation",
            "6280": "capture failed for now; the same request may be repeated",
        },
    ),
}

STATUSES: dict[int, type[VippsError]] = {
    401: Unauthorized,
    403: Misconfigured,
    404: Misconfigured,
    409: KeyConflict,
    423: Locked,
    429: Throttled,
}


def error_class(status: int, code: str | None) -> type[VippsError]:
    """The error that an answer other than 2xx stands for. Whatever is not in the tables is `Unsure`."""
    if status == 400:
        known = CODES.get(code or "")
        return known.error if known else OurDefect
    if status == 409 and code == "6160":
        return Locked
    return STATUSES.get(status, Unsure)


def meaning_of(code: str | None) -> str:
    """Our own short words for a code; empty for one that we do not know."""
    known = CODES.get(code or "")
    return known.meaning if known else ""
