"""The tour: Kari in Oslo refunds an order of a store in each set-up; of the one with own keys Vipps' answer is lost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hq.demo.cashier import Cashier, Seen
from hq.demo.cast import KARI, MONA, PASSWORD, PIN
from hq.demo.chain import Seller
from hq.demo.errors import DemoFailed
from hq.demo.limits import ABOVE_MINOR
from hq.demo.provider import Provider
from refunds.events import RefundMoved
from refunds.models import Refund, State
from stores import audit, money
from stores.models import Order

SETUPS = {
    "A": "many stores, one set of partner keys; the MSN chooses the store",
    "B": "a store with keys of its own",
    "C": "stores that share one sales unit, told apart by prefix",
}
LOSES_ITS_ANSWER = "B"
_LONGEST_SECONDS = 60.0
_SMALLEST_MINOR = 10_000
_TYPED = 6  # characters: what a cashier reads off a receipt


@dataclass(frozen=True, kw_only=True)
class Stop:
    """One refund of the tour. `states` in order, each once; `provider_refund_events` from Vipps' own event log."""

    setup: str
    origin_store: str
    refunding_store: str
    origin_msn: str
    msns_sent: tuple[str, ...]
    amount_minor: int
    state: str
    states: tuple[str, ...]
    provider_refund_events: int
    seconds: float

    @property
    def held(self) -> bool:
        """Refunded once, by the sales unit that sold; the lost answer was honestly unknown in between."""
        was_lost = self.setup == LOSES_ITS_ANSWER
        return (
            self.state == State.REFUNDED
            and self.msns_sent == (self.origin_msn,)
            and self.provider_refund_events == 1
            and (State.UNKNOWN in self.states) is was_lost
        )


def lead_tour(sellers: Sequence[Seller], *, hub_url: str, provider: Provider, say: Callable[[str], None]) -> dict[str, Stop]:
    """All three stops, by set-up. Raises DemoFailed where the desk does not do what the tour asks of it."""
    cashier = Cashier(hub_url)
    cashier.sign_in(KARI.username, PASSWORD)
    home = next(seller for seller in sellers if seller.place.code == KARI.store)
    say(f"\nThe tour. {KARI.first_name} is cashier in {home.place.city}; she signs in at the desk.")
    _share_the_till(cashier, hub_url)
    stops: dict[str, Stop] = {}
    for setup in SETUPS:
        seller = next(each for each in sellers if each.place.setup == setup and each is not home)
        stops[setup] = _stop(setup, seller, home, cashier, provider, say)
    return stops


def _share_the_till(cashier: Cashier, hub_url: str) -> None:
    """Kari and her manager each choose a PIN: to take the till over, and to allow a refund beside each other."""
    manager = Cashier(hub_url)
    manager.sign_in(MONA.username, PASSWORD)
    for person in (cashier, manager):
        person.choose_pin(PIN, password=PASSWORD)


def _stop(setup: str, seller: Seller, home: Seller, cashier: Cashier, provider: Provider, say: Callable[[str], None]) -> Stop:
    order = _fresh_order(seller)
    amount_minor = min(order.amount_minor // 2, ABOVE_MINOR[order.currency]) // 100 * 100
    typed = order.reference[-_TYPED:]
    shown = money.in_locale(amount_minor, order.currency, "en")
    say(f"\n{setup}: {SETUPS[setup]}.")
    say(f"  A customer of {seller.place.city} brings goods back. {KARI.first_name} types “{typed}”.")
    found = cashier.find(typed, reference=order.reference, store=seller.store.name)
    if setup == LOSES_ITS_ANSWER:
        provider.lose_next_answer(seller.unit.msn, order.reference)
        say("  This time the connection breaks after Vipps has refunded and before it has answered.")
    say(f"  She refunds {shown} of order {order.reference}.")
    seen = cashier.refund(found, amount=_as_typed(amount_minor), reason="returned", within=_LONGEST_SECONDS)
    for headline in seen.headlines:
        say(f"    · {headline}")
    stop = _what_happened(setup, seller, home, order, seen, provider)
    say(
        f"  {stop.state} after {stop.seconds:.1f} s, debited from sales unit {', '.join(stop.msns_sent) or 'none'}"
        f" ({seller.place.city}); the provider's log holds {stop.provider_refund_events} refund."
    )
    return stop


def _fresh_order(seller: Seller) -> Order:
    """The newest order that nobody has refunded anything of, with a reference whose last characters tell it apart."""
    orders = Order.objects.filter(store=seller.store, sales_unit=seller.unit, refunds=None, account=None)
    order = orders.filter(claimed_minor__gte=_SMALLEST_MINOR, reference__regex=r"[0-9A-F]{12}$").order_by("-paid_at").first()
    if order is None:
        raise DemoFailed(f"{seller.store} has no order left that nobody has refunded: start with more --orders.")
    return order


def _what_happened(setup: str, seller: Seller, home: Seller, order: Order, seen: Seen, provider: Provider) -> Stop:
    refund = Refund.objects.get(pk=seen.refund_id)
    moves = [audit.facts_of(entry) for entry in audit.timeline_of("refund", str(refund.pk)).filter(event=RefundMoved.name)]
    states = [state for move in moves for state in (move["before"], move["after"])]
    return Stop(
        setup=setup,
        origin_store=seller.store.name,
        refunding_store=home.store.name,
        origin_msn=seller.unit.msn,
        msns_sent=tuple(sent.msn for sent in provider.refunds(order.reference)),
        amount_minor=refund.amount_minor,
        state=refund.state,
        states=tuple(dict.fromkeys(states)),
        provider_refund_events=provider.refund_events(seller.unit.msn, order.reference),
        seconds=seen.seconds,
    )


def _as_typed(amount_minor: int) -> str:
    return f"{amount_minor // 100},{amount_minor % 100:02d}"
