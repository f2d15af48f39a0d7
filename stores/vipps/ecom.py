"""The eCom API v2 (legacy): for the payments that ePayment cannot reach, and for merchants that still create them.

Source: Vipps eCom API v2, OpenAPI description and guide. The sales unit is named twice, in the header and in the body,
always by the session. Capture and refund take an X-Request-Id, at most 40 characters, that the caller must have
written down before; it is unique per order, sales unit and operation, and the log shows it again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stores.vipps.ecom_reading import read_log, read_summary
from stores.vipps.ecom_types import Change, Details, Initiated, NewEcomPayment
from stores.vipps.errors import OurDefect
from stores.vipps.exchange import Response
from stores.vipps.reading import LONGEST_ADDRESS, Unreadable, read_object, read_text
from stores.vipps.session import VippsSession
from stores.vipps.understanding import answer_of, check_same, unreadable

_PAYMENTS = "/ecomm/v2/payments"
_APPROVALS = "/ecomm/v2/integration-test/payments"
_ORDER_ID = re.compile(r"[a-zA-Z0-9-]{1,50}", re.ASCII)
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,40}", re.ASCII)
_MOBILE = re.compile(r"[0-9]{8}", re.ASCII)
_CONTENT_TYPE = {"Content-Type": "application/json;charset=UTF-8"}
_LONGEST_TEXT = 100
_LONGEST_URL = 255
SMALLEST_AMOUNT = 100
"""One krone: eCom takes no smaller amount, for a refund neither."""


class Ecom:
    """Every method raises VippsError. A 2xx that cannot be read, or speaks of another order, is `Unsure`."""

    def __init__(self, session: VippsSession) -> None:
        self._session = session

    def initiate(self, new: NewEcomPayment) -> Initiated:
        """Starts a payment. Not idempotent: a repeated order id is a KeyConflict."""
        operation = "ecom_initiate"
        _path(operation, _PAYMENTS, new.order_id)
        response = self._session.call(operation, "POST", _PAYMENTS, body=self._initiation(new), headers=_CONTENT_TYPE)
        members, trace_id = answer_of(operation, response)
        try:
            url = read_text(members, "url", longest=LONGEST_ADDRESS)
            told = Initiated(order_id=read_text(members, "orderId"), url=url, trace_id=trace_id)
        except Unreadable as error:
            raise unreadable(operation, response, error) from None
        check_same(operation, new.order_id, told.order_id, response)
        return told

    def get_details(self, order_id: str) -> Details:
        """The sums and the log; personal data, which details may hold too, is left unread."""
        operation = "ecom_details"
        response = self._session.call(operation, "GET", _path(operation, _PAYMENTS, order_id, "/details"))
        members, trace_id = answer_of(operation, response)
        try:
            details = Details(
                order_id=read_text(members, "orderId"),
                summary=read_summary(members),
                log=read_log(members),
                trace_id=trace_id,
            )
        except Unreadable as error:
            raise unreadable(operation, response, error) from None
        check_same(operation, order_id, details.order_id, response)
        return details

    def refund(
        self, order_id: str, amount: int, *, text: str, request_id: str, send_before: float | None = None
    ) -> Change:
        """Pays `amount` øre back; the customer sees `text`. A repeat must be the same in all of it.

        `send_before`: a `time.monotonic()` value after which nothing is written (NotSent).
        """
        operation = "ecom_refund"
        path = _path(operation, _PAYMENTS, order_id, "/refund")
        body = self._change(operation, text, _amount(operation, amount))
        return self._modify(operation, "POST", path, order_id, body, _request_id(operation, request_id), send_before)

    def capture(
        self,
        order_id: str,
        amount: int | None = None,
        *,
        text: str,
        request_id: str,
        send_before: float | None = None,
    ) -> Change:
        """Takes `amount` øre of what is reserved, or all of it."""
        operation = "ecom_capture"
        path = _path(operation, _PAYMENTS, order_id, "/capture")
        body = self._change(operation, text, {} if amount is None else _amount(operation, amount))
        return self._modify(operation, "POST", path, order_id, body, _request_id(operation, request_id), send_before)

    def cancel(
        self, order_id: str, *, text: str, releases_rest: bool = False, send_before: float | None = None
    ) -> Change:
        """Releases what is reserved. After a capture only with `releases_rest`, else it is refused."""
        operation = "ecom_cancel"
        path = _path(operation, _PAYMENTS, order_id, "/cancel")
        body = self._change(operation, text, {}) | {"shouldReleaseRemainingFunds": releases_rest}
        return self._modify(operation, "PUT", path, order_id, body, {}, send_before)

    def force_approve(self, order_id: str, *, mobile_number: str, token: str) -> None:
        """Pays as the test user would; test environment only. `token` is the one in the initiate answer's address."""
        operation = "ecom_approve"
        _check_mobile(operation, mobile_number)
        body = {"customerPhoneNumber": mobile_number, "token": token}
        self._session.call(
            operation, "POST", _path(operation, _APPROVALS, order_id, "/approve"), body=body, headers=_CONTENT_TYPE
        )

    def _modify(
        self,
        operation: str,
        method: str,
        path: str,
        order_id: str,
        body: Mapping[str, Any],
        headers: Mapping[str, str],
        send_before: float | None,
    ) -> Change:
        response = self._session.call(
            operation, method, path, body=body, send_before=send_before, headers={**_CONTENT_TYPE, **headers}
        )
        members, trace_id = answer_of(operation, response)
        try:
            change = _read_change(members, response, trace_id)
        except Unreadable as error:
            raise unreadable(operation, response, error) from None
        check_same(operation, order_id, change.order_id, response)
        return change

    def _change(self, operation: str, text: str, amount: Mapping[str, int]) -> dict[str, Any]:
        if not 1 <= len(text) <= _LONGEST_TEXT:
            raise OurDefect(operation, detail="the text for the customer has 1 to 100 characters")
        return {
            "merchantInfo": {"merchantSerialNumber": self._session.unit(operation)},
            "transaction": {**amount, "transactionText": text},
        }

    def _initiation(self, new: NewEcomPayment) -> dict[str, Any]:
        operation = "ecom_initiate"
        if new.mobile_number is not None:
            _check_mobile(operation, new.mobile_number)
        if max(len(new.callback_prefix), len(new.fall_back), len(new.auth_token or "")) > _LONGEST_URL:
            raise OurDefect(operation, detail="an address or token has more than 255 characters")
        body = self._change(operation, new.text, _amount(operation, new.amount))
        body["customerInfo"] = {"mobileNumber": new.mobile_number} if new.mobile_number else {}
        body["merchantInfo"] |= {"callbackPrefix": new.callback_prefix, "fallBack": new.fall_back, "isApp": new.is_app}
        body["transaction"] |= {"orderId": new.order_id, "skipLandingPage": new.skips_landing_page}
        if new.auth_token:
            body["merchantInfo"]["authToken"] = new.auth_token
        if new.scope:
            body["transaction"]["scope"] = new.scope
        return body


def _read_change(members: dict[str, Any], response: Response, trace_id: str | None) -> Change:
    # A refund's answer says `transaction` where the others say `transactionInfo`.
    told = members.get("transactionInfo", members.get("transaction"))
    info = {} if told is None else read_object(told)
    return Change(
        order_id=read_text(members, "orderId"),
        transaction_id=str(info.get("transactionId") or ""),
        operation_status=str(info.get("status") or ""),
        summary=read_summary(members),
        status=response.status,
        trace_id=trace_id,
    )


def _path(operation: str, start: str, order_id: str, rest: str = "") -> str:
    """Only what Vipps calls an order id may become part of a path."""
    if not _ORDER_ID.fullmatch(order_id):
        raise OurDefect(operation, detail="an order id is 1 to 50 letters, digits and hyphens")
    return f"{start}/{order_id}{rest}"


def _amount(operation: str, amount: int) -> dict[str, int]:
    # Always sent: what a refund without an amount does is written nowhere.
    if type(amount) is not int or not SMALLEST_AMOUNT <= amount <= 65_000_000:
        raise OurDefect(operation, detail="an amount is 100 to 65 000 000 øre")
    return {"amount": amount}


def _request_id(operation: str, request_id: str) -> dict[str, str]:
    if not _REQUEST_ID.fullmatch(request_id):
        raise OurDefect(operation, detail="a request id is 1 to 40 visible ASCII characters")
    return {"X-Request-Id": request_id}


def _check_mobile(operation: str, mobile_number: str) -> None:
    if not _MOBILE.fullmatch(mobile_number):
        raise OurDefect(operation, detail="a mobile number is 8 digits")
