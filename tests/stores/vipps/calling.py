"""Calls to the simulator as bytes would make them, past the client: its rules are tested without our reading of them."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

from stores.vipps.simulator import Keys, Simulator
from stores.vipps.simulator.wire import Call, Reply
from tests.stores.vipps.world import BERGEN, World

ECOM = "/ecomm/v2/payments"
EPAYMENT = "/epayment/v1/payments"
WEBHOOKS = "/webhooks/v1/webhooks"
EVENTS = ["epayments.payment.captured.v1", "epayments.payment.refunded.v1"]
RECEIPT = {
    "orderLines": [
        {"name": "Cap", "id": "1", "totalAmount": 500, "totalAmountExcludingTax": 400, "totalTaxAmount": 100, "taxRate": 2500}
    ],
    "bottomLine": {"currency": "NOK", "receiptNumber": "17"},
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was answered to which call."""

    call: Call
    reply: Reply

    @property
    def status(self) -> int:
        return self.reply.status

    @property
    def json(self) -> Any:
        return json.loads(self.reply.body)

    @property
    def code(self) -> str | None:
        """ePayment's ErrorCode, or eCom's group and code."""
        if isinstance(self.json, list):
            return f"{self.json[0]['errorGroup']}/{self.json[0]['errorCode']}"
        found = [each["reason"] for each in self.json.get("extraDetails", []) if each["name"] == "ErrorCode"]
        return found[0] if found else None


@dataclass(kw_only=True)
class Caller:
    """One key set, signed in, acting for one sales unit; `special` is the token of accounting keys."""

    simulator: Simulator
    keys: Keys
    msn: str | None = BERGEN
    is_special: bool = False
    _token: str = field(default="", repr=False)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """`headers` by their names with _ for -."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(self.simulator, method, path, body, **{**self.headers(), **sent})

    def headers(self) -> dict[str, str]:
        self._token = self._token or (special_token if self.is_special else token)(self.simulator, self.keys)
        told = {"authorization": f"Bearer {self._token}"}
        if not self.is_special:
            told["ocp-apim-subscription-key"] = self.keys.subscription_key
        return {**told, "merchant-serial-number": self.msn} if self.msn else told

    def refund(self, reference: str, value: int, *, key: str, currency: str = "NOK") -> Answer:
        body = {"modificationAmount": {"currency": currency, "value": value}}
        return self.call("POST", f"{EPAYMENT}/{reference}/refund", body, idempotency_key=key)

    def initiate(self, order_id: str, *, amount: int = 1_000, **transaction: object) -> Answer:
        body = {
            "customerInfo": {"mobileNumber": "91234567"},
            "merchantInfo": {**self._merchant(), "callbackPrefix": "https://x.example", "fallBack": "https://x.example"},
            "transaction": {"orderId": order_id, "amount": amount, "transactionText": "one cap", **transaction},
        }
        return self.call("POST", ECOM, body)

    def ecom(self, operation: str, order_id: str, *, amount: int | None = None, key: str = "k", **members: object) -> Answer:
        """Capture, refund or cancel; the key is left out when it is empty."""
        told = {"transactionText": operation} | ({} if amount is None else {"amount": amount})
        body = {"merchantInfo": self._merchant(), "transaction": told, **members}
        headers = {"x_request_id": key} if key else {}
        return self.call("PUT" if operation == "cancel" else "POST", f"{ECOM}/{order_id}/{operation}", body, **headers)

    def ecom_paid(self, order_id: str, *, captured: int | None = None) -> None:
        """Initiated, approved by the customer, and captured as far as told (everything unless told)."""
        assert self.initiate(order_id).status == 200
        self.simulator.customer(self.msn or "", order_id, "approve")
        if captured != 0:
            assert self.ecom("capture", order_id, amount=captured, key="capture").status == 200

    def details(self, order_id: str) -> Any:
        return self.call("GET", f"{ECOM}/{order_id}/details").json

    def register(self, url: str = "http://127.0.0.1:1/hooks", events: list[str] | None = None) -> Answer:
        return self.call("POST", WEBHOOKS, {"url": url, "events": events or EVENTS})

    def _merchant(self) -> dict[str, str]:
        return {"merchantSerialNumber": self.msn or ""}


def caller(world: World, msn: str = BERGEN, *, keys: Keys | None = None) -> Caller:
    return Caller(simulator=world.simulator, keys=keys or world.keys[msn], msn=msn)


def ask(simulator: Simulator, method: str, path: str, body: object = None, **headers: str) -> Answer:
    """Header names as they are sent; `body` as JSON unless it is bytes."""
    path, _, query = path.partition("?")
    call = Call(
        method=method,
        path=path,
        query=dict(part.split("=", 1) for part in query.split("&") if part),
        headers={name.lower(): value for name, value in headers.items()},
        body=body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b"",
    )
    return Answer(call=call, reply=simulator.answer(call))


def sign_in(simulator: Simulator, keys: Keys, **changes: str) -> Answer:
    headers = {
        "client_id": keys.client_id,
        "client_secret": keys.client_secret,
        "ocp-apim-subscription-key": keys.subscription_key,
    }
    return ask(simulator, "POST", "/accesstoken/get", **{**headers, **changes})


def token(simulator: Simulator, keys: Keys) -> str:
    return str(sign_in(simulator, keys).json["access_token"])


def sign_in_specially(
    simulator: Simulator, keys: Keys, *, form: bytes = b"grant_type=client_credentials", **more: str
) -> Answer:
    basic = b64encode(f"{keys.client_id}:{keys.client_secret}".encode()).decode()
    headers = {name.replace("_", "-"): value for name, value in more.items()}
    return ask(simulator, "POST", "/miami/v1/token", form, **{"authorization": f"Basic {basic}", **headers})


def special_token(simulator: Simulator, keys: Keys) -> str:
    return str(sign_in_specially(simulator, keys).json["access_token"])
