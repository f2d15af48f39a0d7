"""The cast as Vipps sees it: Bergen's and Oslo's sales units, and a partner for Trondheim and Hamar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from stores.vipps.epayment import Epayment
from stores.vipps.errors import VippsError
from stores.vipps.exchange import Deadline, Request, Response, Transport
from stores.vipps.session import VippsSession
from stores.vipps.simulator import Keys, Simulator, Switches
from stores.vipps.tokens import TokenCache
from stores.vipps.transport import WsgiTransport
from stores.vipps.types import Amount, Credentials, SystemHeaders

BERGEN = "100001"
OSLO = "100002"
TRONDHEIM = "100003"
HAMAR = "100004"
ORDER = "bergen-2026-0001"
SYSTEM = SystemHeaders(name="refund-hub", version="0.1.0", plugin_name="refund-hub", plugin_version="0.1.0")
# A Wednesday in September 2026; the simulator's clock stands still unless it is moved.
NOON = 1_789_560_000.0


def nok(value: int) -> Amount:
    return Amount(currency="NOK", value=value)


def credentials(keys: Keys) -> Credentials:
    return Credentials(client_id=keys.client_id, client_secret=keys.client_secret, subscription_key=keys.subscription_key)


@dataclass(kw_only=True)
class World:
    """The simulator with its cast; Bergen has sold one order of 100 kroner."""

    switches: Switches = field(default_factory=Switches)
    simulator: Simulator = field(init=False)
    keys: dict[str, Keys] = field(init=False)
    tokens: TokenCache = field(default_factory=TokenCache)

    def __post_init__(self) -> None:
        self.simulator = Simulator(seed=1, switches=self.switches, base=lambda: NOON)
        self.keys = {msn: self.simulator.add_sales_unit(msn) for msn in (BERGEN, OSLO, TRONDHEIM, HAMAR)}
        self.keys["chain"] = self.simulator.add_partner("chain", [TRONDHEIM, HAMAR])
        self.simulator.add_payment(BERGEN, ORDER, amount_minor=10_000)

    def session(self, msn: str, *, keys: Keys | None = None, transport: Transport | None = None) -> VippsSession:
        chosen = keys or self.keys[msn]
        return VippsSession(
            base_url="http://127.0.0.1:8181",
            msn=msn,
            credentials=credentials(chosen),
            cache_key=f"{chosen.client_id}/test",
            transport=transport or WsgiTransport(self.simulator.wsgi),
            tokens=self.tokens,
            system=SYSTEM,
        )

    def epayment(self, msn: str, *, keys: Keys | None = None, transport: Transport | None = None) -> Epayment:
        return Epayment(self.session(msn, keys=keys, transport=transport))

    def refunded(self, msn: str = BERGEN, reference: str = ORDER) -> int:
        """What the provider itself says has been paid back."""
        return self.simulator.payment(msn, reference).sums().refunded


@dataclass(kw_only=True)
class Recorder:
    """A transport that answers from a script and keeps what it was given; a token request always succeeds."""

    answers: list[Response | VippsError] = field(default_factory=list)
    token_answers: list[Response | VippsError] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    on_send: Callable[[Request], None] = lambda request: None

    def send(self, request: Request, *, deadline: Deadline) -> Response:
        deadline.check_may_write(request.operation)
        self.requests.append(request)
        self.on_send(request)
        is_token = request.operation == "token"
        script = self.token_answers if is_token else self.answers
        answer = script.pop(0) if script or not is_token else token_answer()
        if isinstance(answer, VippsError):
            raise answer
        return answer

    def sent(self, operation: str) -> list[Request]:
        return [request for request in self.requests if request.operation == operation]


def token_answer(value: str = "a-token", *, expires_in: str = "86398") -> Response:
    body = f'{{"token_type":"Bearer","expires_in":"{expires_in}","access_token":"{value}"}}'
    return Response(status=200, headers={}, body=body.encode())


def answer(status: int, body: str = "", **headers: str) -> Response:
    return Response(status=status, headers={k.replace("_", "-"): v for k, v in headers.items()}, body=body.encode())


def problem(status: int, code: str | None) -> Response:
    details = f'[{{"name":"ErrorCode","reason":"{code}"}}]' if code else "[]"
    return answer(
        status,
        f'{{"type":"https://httpstatuses.io/{status}","title":"No","status":{status},'
        f'"traceId":"00-abc-def-00","extraDetails":{details}}}',
    )


def modification(refunded: int, *, reference: str = ORDER, captured: int = 10_000) -> str:
    sums = ",".join(
        f'"{name}":{{"currency":"NOK","value":{value}}}'
        for name, value in (
            ("authorizedAmount", 10_000),
            ("cancelledAmount", 0),
            ("capturedAmount", captured),
            ("refundedAmount", refunded),
        )
    )
    return (
        f'{{"amount":{{"currency":"NOK","value":10000}},"state":"AUTHORIZED","aggregate":{{{sums}}},'
        f'"pspReference":"3343121302","reference":"{reference}"}}'
    )
