"""Vipps MobilePay to try things against: its rules and its faults, over a ledger of its own; stands alone."""

from stores.vipps.simulator.books import SeededPayment
from stores.vipps.simulator.call_log import LogEntry
from stores.vipps.simulator.faults import Fault, FaultKind
from stores.vipps.simulator.merchants import Keys
from stores.vipps.simulator.simulator import Simulator
from stores.vipps.simulator.switches import Switches

__all__ = ["Fault", "FaultKind", "Keys", "LogEntry", "SeededPayment", "Simulator", "Switches"]
