"""The refund path's tables, one file per thing."""

from refunds.models.attempt import Answer, Attempt
from refunds.models.ledger import Account, EntryKind, LedgerEntry, OrderAccount
from refunds.models.observation import Observation, Source
from refunds.models.outbound import Delivery, EventType, WebhookEndpoint
from refunds.models.outbox import Heartbeat, Outbox
from refunds.models.refund import ENDS, IN_FLIGHT, Kind, Reason, Refund, State

__all__ = [
    "ENDS",
    "IN_FLIGHT",
    "Account",
    "Answer",
    "Attempt",
    "Delivery",
    "EntryKind",
    "EventType",
    "Heartbeat",
    "Kind",
    "LedgerEntry",
    "Observation",
    "OrderAccount",
    "Outbox",
    "Reason",
    "Refund",
    "Source",
    "State",
    "WebhookEndpoint",
]
