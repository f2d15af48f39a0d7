"""Who plays: tills, workers, the sweep, those who approve, Vipps' notices, the portal."""

import json
import traceback
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import DatabaseError, InterfaceError, OperationalError

from refunds import approving, doorbell, intake, release_intake, sweep, tasks
from refunds.errors import KeyReused
from refunds.models import Reason
from stores import access, notices
from stores.actors import Actor, hub
from stores.errors import HubError
from stores.models import Order
from stores.money import Money
from stores.vipps import signatures
from stores.vipps.simulator import FaultKind, Simulator
from tests.faults.schedules.broker import Broker, Message
from tests.faults.schedules.faults import Faults
from tests.faults.schedules.ground import BEGINS, SECRET, Ground
from tests.faults.schedules.stage import Stage

_TASKS: dict[str, Callable[[object], None]] = {"refunds.run_refund": tasks.run_refund, doorbell.TASK: tasks.read_notice}


@dataclass(kw_only=True, eq=False)
class Wish:
    """What one till wants, under the key that it has kept; what it was told about it."""

    order: Order
    code: str
    amount_minor: int
    key: str
    is_release: bool = False
    answers: list[uuid.UUID] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Parts:
    """The bodies of the actors of one schedule."""

    stage: Stage
    faults: Faults
    broker: Broker
    ground: Ground
    vipps: Simulator
    orders: list[Order]
    wishes: list[Wish]
    sweeps_every: float
    surprises: list[str] = field(default_factory=list)
    is_over: bool = False

    def till(self, wish: Wish) -> None:
        """Asks until it has an answer; double-clicks, and asks again though it has one."""
        dice = self.stage.dice
        for _ in range(dice.choice((1, 1, 2, 3))):
            for _ in range(4):
                if self._ask(wish):
                    break
                self.stage.pause(dice.choice((0.5, 5.0, 40.0)))
            self.stage.pause(dice.choice((0.1, 1.0, 60.0)))
        if dice.random() < 0.1 and wish.answers:
            self._ask_otherwise(wish)

    def _ask(self, wish: Wish) -> bool:
        """Whether the till knows where it stands. A till that dies keeps its key."""
        try:
            accepted = _request(wish, wish.amount_minor, Reason.RETURNED, self.ground)
        except (DatabaseError, KeyReused):
            return False
        except HubError as error:
            wish.refusals.append(str(error.code))
            return True
        wish.answers.append(accepted.refund.pk)
        return True

    def _ask_otherwise(self, wish: Wish) -> None:
        """The same key for another wish: always refused."""
        with suppress(KeyReused, DatabaseError, HubError):
            _request(wish, wish.amount_minor + 1, Reason.NOT_DELIVERED, self.ground)
            wish.refusals.append("another wish was accepted under a used key")

    def worker(self) -> None:
        """Takes messages; what a task raises is Celery's to log."""
        while not self.is_over:
            message = self.broker.take()
            if message is None:
                self.broker.wait()
                continue
            self._doing(message.row_id)
            try:
                self.perform(message)
            except BaseException:
                self.broker.reader_died(message)
                raise
            self.stage.pause(0.0)

    def perform(self, message: Message) -> None:
        """One task. What it raises is Celery's to log; only a database that fails is reason enough."""
        try:
            _TASKS.get(message.task, _ignore)(message.row_id)
        except (OperationalError, InterfaceError):
            pass
        except Exception as error:
            self.surprises.append(told(message.task, error))

    def sweeper(self) -> None:
        """Over and over; one that fails is told and goes on."""
        while not self.is_over:
            self._doing("sweep")
            self.pass_once()
            self.stage.pause(self.sweeps_every)

    def pass_once(self) -> None:
        """One sweep."""
        try:
            sweep.sweep_once(by=hub("sweep"))
        except (OperationalError, InterfaceError):
            pass
        except Exception as error:
            self.surprises.append(told("sweep", error))

    def person(self, does: Callable[[uuid.UUID], object]) -> None:
        """Somebody who decides about a refund that she can see, once."""
        wish = self.stage.dice.choice(self.wishes)
        if wish.answers:
            with suppress(HubError, DatabaseError):
                does(wish.answers[0])

    def cancel(self, refund_id: uuid.UUID) -> None:
        approving.cancel_refund(refund_id, asker=self.ground.mona, by=self._mona())

    def approve(self, refund_id: uuid.UUID) -> None:
        approving.approve_refund(refund_id, asker=self.ground.mona, by=self._mona())

    def reject(self, refund_id: uuid.UUID) -> None:
        approving.reject_refund(refund_id, note="no goods", asker=self.ground.mona, by=self._mona())

    def portal(self) -> None:
        """Somebody refunds in the business portal, sometimes as much as a till is about to."""
        order, dice = self.stage.dice.choice(self.orders), self.stage.dice
        amount = dice.choice((self.wishes[0].amount_minor, 10_000, 1))
        if self.faults.happened[f"refund: {FaultKind.FAILED_EVENT}"]:
            return  # see `vipps`: the two together are for the nightly comparison
        with suppress(ValueError):
            self.vipps.portal_refund(order.sales_unit.msn, order.reference, amount)
            self.faults.note("portal refund")

    def capture(self) -> None:
        """The rest of a payment is captured late."""
        order = self.stage.dice.choice(self.orders)
        with suppress(ValueError):
            self.vipps.portal_capture(order.sales_unit.msn, order.reference, 20_000)

    def tell(self) -> None:
        """Vipps tells of something; perhaps twice, perhaps of nothing that is so."""
        order = self.stage.dice.choice(self.orders)
        registration = self.ground.registration
        told = {"msn": order.sales_unit.msn, "reference": order.reference, "pspReference": str(self.stage.dice.random())}
        body = json.dumps({**told, "name": "REFUNDED", "timestamp": "2026-11-24T12:00:00Z", "success": True}).encode()
        at = BEGINS + timedelta(seconds=self.stage.now)
        url = urlsplit(registration.url)
        signed = signatures.sign(
            SECRET, body=body, date=format_datetime(at, usegmt=True), host=url.netloc, path_and_query=url.path
        )
        headers = {
            "Authorization": signed.authorization,
            "Host": url.netloc,
            "x-ms-content-sha256": signed.content_hash,
            "x-ms-date": signed.date,
        }
        with suppress(HubError, DatabaseError):
            for _ in range(self.stage.dice.choice((1, 1, 2))):
                notice = notices.keep_notice(registration.token, body=body, headers=headers)
                doorbell.ring(notice.pk)

    def _doing(self, what: str) -> None:
        if self.stage.current is not None:
            self.stage.current.doing = what

    def _mona(self) -> Actor:
        return access.actor_for(self.ground.mona, store=self.ground.stores["OSL"])


def _request(wish: Wish, amount_minor: int, reason: str, ground: Ground) -> intake.Accepted:
    store, cashier = ground.stores[wish.code], ground.cashiers[wish.code]
    asked: dict[str, Any] = {
        "reason": reason,
        "refunding_store": store,
        "client_id": intake.client_of(cashier, store),
        "request_key": wish.key,
        "asker": cashier,
        "by": access.actor_for(cashier, store=store),
    }
    if wish.is_release:
        return release_intake.request_release(wish.order.public_id, **asked)
    amount = Money(amount_minor=amount_minor, currency=wish.order.currency)
    return intake.request_refund(wish.order.public_id, amount, confirms_duplicate=True, **asked)


def _ignore(row_id: object) -> None:
    """A message for somebody else."""


def told(what: str, error: BaseException) -> str:
    """An error that nobody expects, with the way to it."""
    way = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)][-8:]
    return f"{what}: {type(error).__name__}: {error} at {' > '.join(way)}"
