"""The shapes in which Vipps says no: problem+json with an ErrorCode, and the gateway's own.

Source: Vipps ePayment API, errors page. Which HTTP status belongs to which code is not published; the statuses here
are the likeliest, a switch changes them for good and a fault for one call.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from stores.vipps.simulator.wire import Reply

MESSAGES = {
    "3010": "Internal error.",
    "4010": "Capture was already requested with another body.",
    "4020": "The idempotency key was already used.",
    "4040": "The amount is not valid.",
    "4050": "The customer token is not valid.",
    "4060": "The personal QR is not valid.",
    "4070": "The phone number is not valid.",
    "4080": "The scope is not valid.",
    "4090": "The URL is not valid.",
    "4100": "There are too many metadata entries.",
    "4110": "A metadata key is too long.",
    "4120": "A metadata value is too long.",
    "4130": "A metadata key occurs twice.",
    "4140": "A required parameter is missing for this user flow.",
    "4150": "The reference is taken, or the refund was already requested with another body.",
    "4160": "The payment method is not valid for passthrough.",
    "5010": "Sources cannot be blocked in this market.",
    "5020": "Express is not enabled for this merchant.",
    "5030": "The scope is not permitted for this merchant.",
    "5040": "The currency is not supported for this merchant.",
    "5050": "Long-living payments are not enabled for this merchant.",
    "5060": "The merchant's bank account is not verified.",
    "5070": "The payment cannot be created for this merchant.",
    "5080": "The push flow is not enabled for this merchant.",
    "5090": "The reference was not found for this merchant.",
    "5100": "The refund is not possible.",
    "6010": "The amount is below the minimum.",
    "6020": "A payment that is not reserved cannot be refunded.",
    "6030": "It is too late to cancel the payment.",
    "6040": "A captured payment cannot be cancelled.",
    "6050": "There is nothing reserved to cancel.",
    "6060": "The payment is already authorized.",
    "6070": "A cancelled payment cannot be captured.",
    "6080": "A payment that is not reserved cannot be captured.",
    "6090": "The capture exceeds the reserved amount.",
    "6100": "It is too late to capture the payment.",
    "6110": "expiresAt is too far ahead.",
    "6120": "expiresAt is too soon.",
    "6130": "expiresAt needs a receipt.",
    "6140": "Partial capture is not allowed.",
    "6150": "The refund exceeds the refundable amount.",
    "6160": "The payment is being processed. Try again.",
    "6170": "The payment is already captured.",
    "6180": "The payment is already refunded.",
    "6190": "The payment cannot be cancelled in this state.",
    "6200": "The payment cannot be captured in this state.",
    "6210": "The payment cannot be refunded in this state.",
    "6220": "The payment cannot be refunded after 365 days.",
    "6230": "The payment is already reserved.",
    "6250": "The payment cannot be cancelled while it is being processed.",
    "6260": "The funds are not available: the bank has released them.",
    "6280": "The capture failed. Try again with the same idempotency key.",
    "7010": "No eligible customer was found.",
    "10010": "The payment could not be approved.",
    "10020": "Approving is not allowed.",
    "10030": "The test user must identify herself.",
    "10040": "The payment source is not valid.",
    "10050": "The test user has no cards.",
    "10060": "Approving is not supported for this payment.",
    "10070": "The limit is exceeded.",
}

_STATUSES = {"4010": 409, "4020": 409, "4150": 409, "5090": 404, "6160": 423}


def status_of(code: str, chosen: Mapping[str, int] | None = None) -> int:
    """`chosen`: what the switch `statuses` says, by code or by class of codes ("5xxx")."""
    if chosen:
        told = chosen.get(code) or chosen.get(f"{code[:1]}xxx")
        if told is not None:
            return told
    return _STATUSES.get(code, 400)


def problem(status: int, *, path: str, number: int, code: str | None = None, field: tuple[str, str] | None = None) -> Reply:
    """`field`: the name of what was wrong and why, for errors of form, which carry no ErrorCode."""
    details = [{"name": "ErrorCode", "reason": code}] if code else []
    details += [{"name": field[0], "reason": field[1]}] if field else []
    title = HTTPStatus(status).phrase
    body = {
        "type": f"https://httpstatuses.io/{status}",
        "title": title,
        "detail": MESSAGES.get(code or "", title),
        "instance": path.removeprefix("/epayment"),
        "status": status,
        "traceId": trace_id(number),
        "extraDetails": details,
    }
    return Reply(status=status, body=json.dumps(body).encode(), content_type="application/problem+json")


def gateway(status: int, message: str, *, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """What the gateway in front of the APIs answers by itself."""
    body = json.dumps({"statusCode": status, "message": message}).encode()
    return Reply(status=status, body=body, headers=headers, gateway_message=message)


def reshape_gateway(reply: Reply, shape: str) -> Reply:
    """The same refusal in another of the shapes that callers have met (Vipps eCom API, errors)."""
    message = reply.gateway_message
    if message is None or shape == "status_message":
        return reply
    if shape == "html":
        page = f"<html><head><title>{message}</title></head><body><h1>{message}</h1></body></html>"
        return replace(reply, body=page.encode(), content_type="text/html")
    shapes: dict[str, Any] = {
        "response_info": {
            "responseInfo": {"responseCode": reply.status, "responseMessage": message},
            "result": {"message": message},
        },
        "error_info": {"errorInfo": {"errorMessage": message}},
        "error": {"error": message},
        "texts": [message],
    }
    return replace(reply, body=json.dumps(shapes[shape]).encode())


def trace_id(number: int) -> str:
    """In W3C trace-parent form, the same for the same number of call."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return f"00-{digest[:32]}-{digest[32:48]}-00"
