"""What the trail can say about refunds."""

from refunds.events.brakes import BreakerClosed, BreakerOpened, RefundsPaused, RefundsResumed, RestoreDeclared, RestoreEnded
from refunds.events.differences import (
    DifferenceAssigned,
    DifferenceExplained,
    DifferenceGone,
    DifferenceOpened,
    OutsideRefundAcknowledged,
)
from refunds.events.orders import OrderCheckAsked, OrderConfirmed, OrderHeld, OrderReleased, OutsideRefundSeen
from refunds.events.papers import PaperCopied, PaperHandedOver
from refunds.events.policies import PolicyDecided, PolicyDrafted
from refunds.events.refunds import KeyReused, RefundAccepted, RefundIntended, RefundMoved, ReleaseAccepted, ReleaseMoved
from refunds.events.review import HoldLiftDecided, HoldLiftProposed, ReviewEndDecided, ReviewEndProposed, VippsAskedAgain
from refunds.events.shifts import ShiftNoteLeft, ShiftTakenOver
from refunds.events.webhooks import DeliveryRequeued, EndpointAdded, EndpointEnded
from stores.events import TrailEvent

REFUND_EVENTS: tuple[type[TrailEvent], ...] = (
    RefundAccepted,
    RefundMoved,
    ReleaseAccepted,
    ReleaseMoved,
    RefundIntended,
    OutsideRefundSeen,
    OrderConfirmed,
    OrderHeld,
    OrderReleased,
    VippsAskedAgain,
    ReviewEndProposed,
    ReviewEndDecided,
    HoldLiftProposed,
    HoldLiftDecided,
    KeyReused,
    RefundsPaused,
    RefundsResumed,
    BreakerOpened,
    BreakerClosed,
    RestoreDeclared,
    RestoreEnded,
    EndpointAdded,
    EndpointEnded,
    DeliveryRequeued,
    OrderCheckAsked,
    *(PaperHandedOver, PaperCopied),
    *(PolicyDrafted, PolicyDecided),
    *(ShiftNoteLeft, ShiftTakenOver),
    *(DifferenceOpened, DifferenceGone, DifferenceAssigned, DifferenceExplained, OutsideRefundAcknowledged),
)

__all__ = [
    "REFUND_EVENTS",
    "BreakerClosed",
    "BreakerOpened",
    "DeliveryRequeued",
    "DifferenceAssigned",
    "DifferenceExplained",
    "DifferenceGone",
    "DifferenceOpened",
    "EndpointAdded",
    "EndpointEnded",
    "HoldLiftDecided",
    "HoldLiftProposed",
    "KeyReused",
    "OrderCheckAsked",
    "OrderConfirmed",
    "OrderHeld",
    "OrderReleased",
    "OutsideRefundAcknowledged",
    "OutsideRefundSeen",
    "PaperCopied",
    "PaperHandedOver",
    "PolicyDecided",
    "PolicyDrafted",
    "RefundAccepted",
    "RefundIntended",
    "RefundMoved",
    "RefundsPaused",
    "RefundsResumed",
    "ReleaseAccepted",
    "ReleaseMoved",
    "RestoreDeclared",
    "RestoreEnded",
    "ReviewEndDecided",
    "ReviewEndProposed",
    "ShiftNoteLeft",
    "ShiftTakenOver",
    "VippsAskedAgain",
]
