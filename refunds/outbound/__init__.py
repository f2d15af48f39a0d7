"""Telling store systems what became of a refund: written with the change itself, sent later by a worker."""

from refunds.outbound.delivering import TASK, deliver, ring_due, send_again
from refunds.outbound.deriving import derive
from refunds.outbound.endpoints import AddedEndpoint, add_endpoint, end_endpoint
from refunds.outbound.trying import Tried

__all__ = ["TASK", "AddedEndpoint", "Tried", "add_endpoint", "deliver", "derive", "end_endpoint", "ring_due", "send_again"]
