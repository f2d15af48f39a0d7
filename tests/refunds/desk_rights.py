"""Who may do what at the desk, as data: every page and action, every kind of person, her own store's things and others'.

A row says what comes of it for what her own store made, what another store made, and what a store made that has closed since.
`ok` is let in, `no` a refusal that says so (403), `--` as if there were no such thing (404), `in` the way to sign in.
"""

from dataclasses import dataclass

CASHIER, MANAGER = "cashier", "manager"
HEADQUARTERS = ("operator", "approver", "finance", "security", "auditor")
OUTSIDERS = ("per", "of_a_closed_store", "superuser")
STRANGERS = ("signed_out", "system")
"""A store system's key opens REST, never a page for people."""
PRINCIPALS = (CASHIER, MANAGER, *HEADQUARTERS, *OUTSIDERS, *STRANGERS)
PLACES = ("own", "other", "closed")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One page or action: its address by name, what is sent, and what comes of it for cashiers and for managers by place."""

    url: str
    sends: str = ""
    cashier: str
    manager: str

    def expected(self, principal: str, place: str) -> str:
        """Headquarters has no till; outsiders have no store; strangers are asked who they are."""
        if principal in STRANGERS:
            return "in"
        if principal not in (CASHIER, MANAGER):
            return "no"
        return (self.cashier if principal == CASHIER else self.manager).split()[PLACES.index(place)]


EVERYWHERE, ONLY_OWN, OUT = "ok ok ok", "ok -- --", "in in in"

ROWS = (
    Row(url="find", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="stores", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="stores", sends="choose", cashier="ok bad bad", manager="ok bad bad"),
    Row(url="under-way", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="store-names", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="today", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="approvals", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="approvals-count", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="elsewhere", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="elsewhere-seen", sends="until", cashier=EVERYWHERE, manager=EVERYWHERE),
    # Her working store's day and notes, and nobody else's; another store's note is as good as none.
    Row(url="shift", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="shift-note", sends="note", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="shift-taken", sends="taken", cashier=ONLY_OWN, manager=ONLY_OWN),
    # Vipps is asked for whatever store sold it; what came of it is its asker's alone.
    Row(url="ask-vipps", sends="reference", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="look-up", cashier=ONLY_OWN, manager=ONLY_OWN),
    Row(url="look-up-progress", cashier=ONLY_OWN, manager=ONLY_OWN),
    # An order is found and opened whichever store of the chain sold it: that is what the hub is for.
    Row(url="order", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="confirmed", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="amount", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="confirm", sends="wish", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="request", sends="wish", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="release", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="release", sends="release", cashier=EVERYWHERE, manager=EVERYWHERE),
    # A refund is for the store that made it and the store that sold; between two others it is nobody's business.
    Row(url="refund", cashier=ONLY_OWN, manager=ONLY_OWN),
    Row(url="progress", cashier=ONLY_OWN, manager=ONLY_OWN),
    Row(url="receipt", cashier=ONLY_OWN, manager=ONLY_OWN),
    Row(url="receipt", sends="print", cashier=ONLY_OWN, manager=ONLY_OWN),
    Row(url="decide", sends="approve", cashier="no -- --", manager=ONLY_OWN),
    Row(url="decide", sends="reject", cashier="no -- --", manager=ONLY_OWN),
    Row(url="decide", sends="cancel", cashier=ONLY_OWN, manager=ONLY_OWN),
    # A manager's PIN at her screen, for what she sees herself; whoever is signed in there.
    Row(url="allow-here", sends="pin", cashier=ONLY_OWN, manager=ONLY_OWN),
    # The till itself: everybody's own.
    Row(url="pin", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="pin", sends="new pin", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="here", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="lock", sends="lock", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="locked", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="locked", sends="right pin", cashier=EVERYWHERE, manager=EVERYWHERE),
    Row(url="leave", sends="leave", cashier=OUT, manager=OUT),
)
