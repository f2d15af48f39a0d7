"""The broker as it can be: messages are lost, doubled, held back and mixed up, or it takes none."""

from dataclasses import dataclass, field

from tests.faults.schedules.faults import Faults
from tests.faults.schedules.stage import Actor

_REDELIVERED_AFTER = 180.0
_NEVER = 1e9


@dataclass(order=True)
class Message:
    """Where a task name and a row's id wait until `due`."""

    due: float
    task: str
    row_id: str


@dataclass(kw_only=True)
class Broker:
    """Stands in for `stores.nudge.publish`."""

    faults: Faults
    messages: list[Message] = field(default_factory=list)
    idle: list[Actor] = field(default_factory=list)

    def publish(self, task: str, row_id: str) -> bool:
        self.faults.yield_point("before publish")
        fault = self._fault()
        if fault != "broker down" and fault != "message lost":
            delay = self.faults.dice.choice((0.0, 0.0, 0.1, 5.0, 60.0)) if fault == "message late" else 0.0
            copies = 2 if fault == "message doubled" else 1
            for _ in range(copies):
                self._put(Message(self.faults.stage.now + delay, task, row_id))
        self.faults.yield_point("after publish")
        return fault != "broker down"

    def take(self) -> Message | None:
        """Any of those that are due: order is no promise."""
        due = sorted(message for message in self.messages if message.due <= self.faults.stage.now)
        if not due:
            return None
        message = self.faults.dice.choice(due)
        self.messages.remove(message)
        return message

    def wait(self) -> None:
        """Until the next message, or until the shop closes."""
        actor = self.faults.stage.current
        if actor is None:
            return
        self.idle.append(actor)
        first = min((message.due for message in self.messages), default=_NEVER)
        self.faults.stage.pause(max(0.0, first - self.faults.stage.now))
        if actor in self.idle:
            self.idle.remove(actor)

    def wake(self) -> None:
        """Everybody who waits looks again."""
        for actor in self.idle:
            actor.wakes_at = self.faults.stage.now

    def _put(self, message: Message) -> None:
        self.messages.append(message)
        for actor in self.idle:
            actor.wakes_at = min(actor.wakes_at, message.due)

    def reader_died(self, message: Message) -> None:
        """Unacknowledged: it comes again, or is lost with the worker."""
        if self.faults.dice.random() < 0.5:
            self._put(Message(self.faults.stage.now + _REDELIVERED_AFTER, message.task, message.row_id))
        else:
            self.faults.note("message lost with its worker")

    def _fault(self) -> str:
        if not self.faults.strikes(self.faults.weather.broker):
            return ""
        fault = self.faults.dice.choice(("broker down", "message lost", "message lost", "message doubled", "message late"))
        self.faults.note(fault)
        return fault
