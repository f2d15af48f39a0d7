"""Every page of the desk in every look it can have, as data: whatever is measured, photographed or checked goes by it."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from django.test import override_settings

from refunds.models import Refund, ShiftNote, State, TakeOver
from stores import clock, people, pins
from stores.models import AskedUnit, Order, OrderLine, Role, User, VippsQuestion
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.releases import ask_release, reserved


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One look of one page.

    `typed` is what is filled into the order's form before "Go on"; then the page is what comes. `key` is pressed on the page,
    and it is the same as to send `sent` to the address below the page's that `to` names. `with_proof`: she has just given her
    password once more.
    """

    name: str
    path: str
    who: User
    status: int = 200
    typed: dict[str, str] | None = None
    key: str = ""
    to: str = ""
    sent: dict[str, str] | None = None
    with_proof: bool = False


def every_scene(chain: Chain) -> list[Scene]:
    """All of them, on a chain in which enough has happened. Kari stands in Oslo, where nothing else is said."""
    return [scene for make in (_sharing, _finding, _choosing, _following, _handing_over, _elsewhere) for scene in make(chain)]


def with_lines(order: Order) -> Order:
    """What was bought, as the till sent it: two candle holders, a jacket, and a discount."""
    rows = [("Candle holder, brass", "CH-204", 2, 39_800), ("Rain jacket, green, M", "RJ-88-M", 1, 69_900)]
    rows.append(("Member’s discount", "", 1, order.amount_minor - 109_700))
    for number, (name, sku, quantity, amount_minor) in enumerate(rows, start=1):
        OrderLine.objects.create(
            order=order, number=number, name=name, sku=sku, quantity=quantity, amount_minor=amount_minor
        )
    return order


def _sharing(chain: Chain) -> list[Scene]:
    """The till itself: Kari and her manager have a PIN."""
    for person, pin in ((chain.kari, "730518"), (chain.mona, "948207")):
        pins.choose(person, pin, by=chain.by)
    ida = User.objects.create(username="ida", first_name="Ida")
    people.join_store(ida, chain.oslo, role=Role.CASHIER, by=chain.by)
    locked = "/desk/locked/?next=/desk/today/"
    return [
        Scene(name="locked", path=locked, who=chain.kari),
        Scene(name="locked-without-pin", path=locked, who=ida),
        Scene(name="pin", path="/desk/pin/", who=ida, with_proof=True),
    ]


def _finding(chain: Chain) -> list[Scene]:
    kari = chain.kari
    for store in (chain.bergen, chain.trondheim):
        chain.sold(store, "SHOP-100042", 40_000)
    used = chain.sold(chain.bergen, "BGO-20261102-1001", 24_900)
    chain.sold(chain.bergen, "BGO-20261102-1002", 119_900)
    chain.sold(chain.hamar, "HAM-20261102-1003", 8_050, days_ago=40)
    run(ask(used, 24_900, who=kari, store=chain.oslo).refund)
    for number, amount_minor in enumerate((34_900, 129_900, 7_990)):
        chain.sold(chain.oslo, f"OSL-20261104-10{number}1", amount_minor, days_ago=0)
    return [
        Scene(name="find", path="/desk/", who=kari),
        Scene(name="find-nothing-yet", path="/desk/", who=chain.mona),
        Scene(name="hits", path="/desk/?q=20261102", who=kari),
        Scene(name="choice-of-store", path="/desk/?q=SHOP-100042", who=kari),
        Scene(name="miss", path="/desk/?q=NOSUCH-99", who=kari),
        Scene(name="miss-whole", path="/desk/?q=BGO-20261102-9999", who=kari),
        *_asking_vipps(chain),
        Scene(name="wrong-filter", path="/desk/?amount=lots", who=kari, status=400),
        Scene(name="today", path="/desk/today/", who=kari),
    ]


def _asking_vipps(chain: Chain) -> list[Scene]:
    """Whether Vipps knows a reference: being asked, and every end that has."""

    def asked(name: str, answers: dict[str, tuple[str, str]], *, order: Order | None = None, ended: bool = True) -> Scene:
        question = VippsQuestion.objects.create(
            company=chain.company, reference="BGO-20261102-9999", from_store=chain.oslo, user=chain.kari
        )
        for code, (answer, problem) in answers.items():
            AskedUnit.objects.create(
                question=question,
                sales_unit=chain.units[code],
                answer=answer,
                problem=problem,
                order=order if answer == "found" else None,
            )
        if ended:
            VippsQuestion.objects.filter(pk=question.pk).update(ended_at=clock.db_now())
        return Scene(name=f"look-up-{name}", path=f"/desk/look-ups/{question.public_id}/", who=chain.kari)

    missing, silent, keyless = ("not_there", ""), ("could_not", "no_answer"), ("could_not", "no_keys")
    found = chain.sold(chain.bergen, "BGO-20261102-9998", 45_000)
    return [
        asked("asking", {"OSL": missing, "BGO": ("", ""), "TRD": missing}, ended=False),
        asked("found", {"OSL": missing, "BGO": ("found", ""), "TRD": silent}, order=found),
        asked("not-found", {"OSL": missing, "BGO": missing, "TRD": missing}),
        asked("incomplete", {"OSL": missing, "BGO": silent, "TRD": keyless}),
        asked("unplaced", {"OSL": missing, "BGO": ("unplaced", ""), "TRD": missing}),
    ]


def _choosing(chain: Chain) -> list[Scene]:
    kari = chain.kari
    lined = with_lines(chain.sold(chain.bergen, "BGO-20261101-7741", 100_000))
    run(ask(lined, 63_719, who=kari, store=chain.oslo, goods={2: Decimal(1)}).refund)
    ask(lined, 10_000, who=kari, store=chain.oslo)
    bare = chain.sold(chain.oslo, "OSL-20261101-7742", 50_000)
    used = chain.sold(chain.bergen, "BGO-20261101-7743", 30_000)
    run(ask(used, 30_000, who=kari, store=chain.oslo).refund)
    large = chain.sold(chain.bergen, "BGO-20261101-7744", 20_000_000)
    old = chain.sold(chain.bergen, "BGO-20251101-0001", 100_000, days_ago=366)
    offered = reserved(chain)
    orders = {"lined": lined, "bare": bare, "used": used, "old": old, "large": large, "reserved": offered}
    page = {name: f"/desk/orders/{order.public_id}/" for name, order in orders.items()}
    typed = {"amount": "120", "reason": "returned"}
    return [
        Scene(name="order-with-lines", path=page["lined"], who=kari),
        Scene(name="order", path=page["bare"], who=kari),
        Scene(name="order-large", path=page["large"], who=kari),
        Scene(name="order-used-up", path=page["used"], who=kari),
        Scene(name="order-too-old", path=page["old"], who=kari),
        Scene(name="order-reserved", path=page["reserved"], who=kari),
        Scene(name="release", path=f"{page['reserved']}release/", who=kari),
        Scene(name="confirm", path=page["lined"], who=kari, typed=typed),
        Scene(name="confirm-large", path=page["large"], who=kari, typed={**typed, "amount": "123456.78"}),
        Scene(name="confirm-too-much", path=page["bare"], who=kari, typed={**typed, "amount": "5000"}, status=409),
    ]


def _following(chain: Chain) -> list[Scene]:
    kari, made = chain.kari, iter(range(8801, 8999))

    def refund(arrange: Callable[[Refund], object], *, amount_minor: int = 25_000) -> Refund:
        order = chain.sold(chain.bergen, f"BGO-20261103-{next(made)}", 100_000)
        found = ask(order, amount_minor, who=kari, store=chain.oslo).refund
        arrange(found)
        return found

    def put(state: State) -> Callable[[Refund], object]:
        until = clock.db_now()
        return lambda found: Refund.objects.filter(pk=found.pk).update(state=state, lease_until=until, next_action_at=until)

    def lose_the_answer(found: Refund) -> None:
        chain.simulator.arm(Fault(kind=FaultKind.DROP_AFTER, operation="refund"))
        run(found)

    with override_settings(APPROVAL_ABOVE_MINOR={"NOK": 50_000}):
        waiting = refund(lambda _: None, amount_minor=60_000)
    looks = {
        "queued": refund(lambda _: None),
        "sending": refund(put(State.SENDING)),
        "unknown": refund(lose_the_answer),
        "review": refund(put(State.REVIEW)),
        "refunded": refund(run),
        "declined": refund(put(State.DECLINED)),
        "rejected": refund(put(State.REJECTED)),
        "cancelled": refund(put(State.CANCELLED)),
        "waits": waiting,
    }
    released = run(ask_release(reserved(chain, "BGO-20261101-8802"), who=kari, store=chain.oslo).refund)
    looks["released"] = released
    scenes = [Scene(name=f"refund-{name}", path=f"/desk/refunds/{it.pk}/", who=kari) for name, it in looks.items()]
    return [
        *scenes,
        Scene(
            name="receipt", path=f"/desk/refunds/{looks['refunded'].pk}/", who=kari,
            key="F8", to="receipt/", sent={"as": "print"},
        ),
        Scene(name="approve", path=f"/desk/refunds/{waiting.pk}/", who=chain.mona),
        Scene(name="approvals", path="/desk/approvals/", who=kari),
        Scene(name="approvals-of-the-manager", path="/desk/approvals/", who=chain.mona),
        Scene(name="today-of-the-manager", path="/desk/today/", who=chain.mona),
    ]


def _handing_over(chain: Chain) -> list[Scene]:
    """The store's day, with a note that waits for Kari, one of her own, and one that was taken over."""
    nina = User.objects.create(username="nina", first_name="Nina")
    people.join_store(nina, chain.trondheim, role=Role.CASHIER, by=chain.by)

    def left(who: User, text: str) -> ShiftNote:
        return ShiftNote.objects.create(store=chain.oslo, text=text, left_by=who, press=text[:32])

    taken = left(chain.kari, "The roll of the receipt printer is nearly at its end; new ones lie under till 2.")
    TakeOver.objects.create(note=taken, taken_by=chain.mona)
    left(chain.kari, "R1 of the rain jacket waits for Mona: the customer comes back at five.")
    left(chain.mona, "Headquarters looks into one refund of yesterday. Do not repeat it; the customer knows.")
    return [
        Scene(name="shift", path="/desk/shift/", who=chain.kari),
        Scene(name="shift-of-the-manager", path="/desk/shift/", who=chain.mona),
        Scene(name="shift-nothing", path="/desk/shift/", who=nina),
    ]


def _elsewhere(chain: Chain) -> list[Scene]:
    liv = User.objects.create(username="liv", first_name="Liv")
    for store in (chain.oslo, chain.bergen):
        people.join_store(liv, store, role=Role.CASHIER, by=chain.by)
    bjarne = User.objects.create(username="bjarne", first_name="Bjarne")
    people.join_store(bjarne, chain.bergen, role=Role.CASHIER, by=chain.by)
    return [
        Scene(name="elsewhere", path="/desk/elsewhere/", who=bjarne),
        Scene(name="elsewhere-nothing", path="/desk/elsewhere/?day=2026-01-01", who=chain.kari),
        Scene(name="stores", path="/desk/stores/", who=liv),
        Scene(name="no-role", path="/desk/", who=chain.per, status=403),
        Scene(name="absent", path="/desk/orders/00000000-0000-0000-0000-000000000000/", who=chain.kari, status=404),
    ]
