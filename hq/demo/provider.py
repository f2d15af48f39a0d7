"""The simulator's control API, over HTTP: what the demo fills it with, breaks in it and reads from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import requests

from stores.credentials import VippsKeys

_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class SentRefund:
    """A refund that the simulator applied; the amount in minor units."""

    msn: str
    reference: str
    amount_minor: int


class Provider:
    """Vipps MobilePay as the demo sees it from behind. Raises requests.RequestException."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/_simulator"
        self._session = requests.Session()
        self._session.trust_env = False

    def add_merchants(
        self, units: Sequence[dict[str, str]], *, partner: str, partner_msns: Sequence[str]
    ) -> dict[str, VippsKeys]:
        """Make these sales units and the partner, if they are not there; their keys, by MSN or the partner's name."""
        told = {"sales_units": list(units), "partners": [{"name": partner, "msns": list(partner_msns)}]}
        made = self._ask("PUT", "merchants", told)
        return {
            **{entry["msn"]: _keys(entry["keys"]) for entry in made["sales_units"]},
            **{entry["name"]: _keys(entry["keys"]) for entry in made["partners"]},
        }

    def add_payments(self, payments: Sequence[dict[str, Any]]) -> None:
        """Captured payments; one that is already there stays as it is."""
        self._ask("POST", "payments", {"payments": list(payments)})

    def lose_next_answer(self, msn: str, reference: str) -> None:
        """Apply the next refund of this payment, and drop the connection instead of answering."""
        rule = {"kind": "drop_after", "operation": "refund", "msn": msn, "reference": reference, "times": 1}
        self._ask("POST", "faults", rule)

    def refunds(self, reference: str | None = None) -> list[SentRefund]:
        """Every refund that moved money, oldest first, of one reference or of all."""
        chosen = {"operation": "refund", "applied": "true", **({"reference": reference} if reference else {})}
        entries = self._ask("GET", "log", chosen)["entries"]
        return [
            SentRefund(msn=entry["msn"], reference=entry["reference"], amount_minor=entry["amount_minor"]) for entry in entries
        ]

    def refund_events(self, msn: str, reference: str) -> int:
        """How many refunds the payment's own event log holds."""
        events = self._ask("GET", f"payments/{msn}/{reference}")["events"]
        return sum(1 for event in events if event["name"] == "REFUNDED" and event["success"])

    def _ask(self, method: str, path: str, told: dict[str, Any] | None = None) -> dict[str, Any]:
        is_read = method == "GET"
        answer = self._session.request(
            method,
            f"{self._url}/{path}",
            params=told if is_read else None,
            json=None if is_read else told,
            timeout=_SECONDS,
        )
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def _keys(told: dict[str, Any]) -> VippsKeys:
    return VippsKeys(
        client_id=told["client_id"],
        client_secret=told["client_secret"],
        subscription_key=told["subscription_keys"][0],
    )
