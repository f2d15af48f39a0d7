"""What Vipps does not document, as switches: a hub has to be right whichever way each of them stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Switches:
    """The defaults are the behaviour that the sources make most likely."""

    # In "test" partner keys do not work and a token lives one hour instead of 24.
    environment: Literal["production", "test"] = "production"
    # A repeated call with its key: the answer as it was then, or as things stand now.
    replay: Literal["stored", "fresh"] = "stored"
    # How far a key reaches: one operation of one payment, one payment, or the whole sales unit.
    key_scope: Literal["operation", "payment", "sales_unit"] = "operation"
    sticky_refusals: bool = True
    answer_amount: Literal["original", "modification"] = "original"
    # Seconds by which the sums in answers stay behind the event log.
    aggregate_lag: float = 0.0
    rate_limits: bool = True
    retry_after: bool = False
    refund_days_from: Literal["authorization", "capture"] = "authorization"

    @property
    def token_seconds(self) -> int:
        return 3600 if self.environment == "test" else 86_400
