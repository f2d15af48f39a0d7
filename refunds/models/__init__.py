"""The refund path's tables, one file per thing."""

from refunds.models.attempt import Answer, Attempt
from refunds.models.breaker import Breaker
from refunds.models.difference import Closing, Difference, DifferenceKind
from refunds.models.elsewhere_seen import ElsewhereSeen
from refunds.models.ledger import Account, EntryKind, LedgerEntry, OrderAccount
from refunds.models.observation import Observation, Source
from refunds.models.order_check import CheckReason, Night, OrderCheck
from refunds.models.outbound import Delivery, EventType, WebhookEndpoint
from refunds.models.outbox import Heartbeat, Outbox
from refunds.models.outside import OUTSIDE, Acknowledgement, OutsideRefund
from refunds.models.paper import Paper, PaperKind
from refunds.models.pause import Pause, PauseScope
from refunds.models.policy import Measure, PolicyReason, PolicyRule, PolicyVersion
from refunds.models.refund import ENDS, FAILED, IN_FLIGHT, AskerRole, Kind, Reason, Refund, State, Tier, WaitsFor
from refunds.models.refund_line import RefundLine
from refunds.models.restore import RestoreEpoch, RestoreLook
from refunds.models.review import ENDINGS, Ending, HoldLift, LookRequest, ReviewProposal, Verdict
from refunds.models.shift import ShiftNote, TakeOver

__all__ = [
    "ENDINGS",
    "ENDS",
    "FAILED",
    "IN_FLIGHT",
    "OUTSIDE",
    "Account",
    "Acknowledgement",
    "Answer",
    "AskerRole",
    "Attempt",
    "Breaker",
    "CheckReason",
    "Closing",
    "Delivery",
    "Difference",
    "DifferenceKind",
    "ElsewhereSeen",
    "Ending",
    "EntryKind",
    "EventType",
    "Heartbeat",
    "HoldLift",
    "Kind",
    "LedgerEntry",
    "LookRequest",
    "Measure",
    "Night",
    "Observation",
    "OrderAccount",
    "OrderCheck",
    "Outbox",
    "OutsideRefund",
    "Paper",
    "PaperKind",
    "Pause",
    "PauseScope",
    "PolicyReason",
    "PolicyRule",
    "PolicyVersion",
    "Reason",
    "Refund",
    "RefundLine",
    "RestoreEpoch",
    "RestoreLook",
    "ReviewProposal",
    "ShiftNote",
    "Source",
    "State",
    "TakeOver",
    "Tier",
    "Verdict",
    "WaitsFor",
    "WebhookEndpoint",
]
