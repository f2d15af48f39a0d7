"""A page to look at: payments, events, refunds, rate limits, webhooks, faults, switches, and who is in the simulator."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import islice

from stores.vipps.simulator.clock import iso
from stores.vipps.simulator.page_rows import (
    Rows,
    event_rows,
    fault_rows,
    holder_rows,
    limit_rows,
    modification_rows,
    notice_rows,
    payment_rows,
    refund_rows,
    registration_rows,
    switch_rows,
)
from stores.vipps.simulator.simulator import Simulator

SHOWN = 50
_STYLE = """
:root { color-scheme: light dark; --line: #d5d9de; --soft: #60646c; --mark: #b3261e }
@media (prefers-color-scheme: dark) { :root { --line: #3a3f45; --soft: #a0a6ad; --mark: #ff8a80 } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 84rem; padding: 0 1rem }
h1 { font-size: 1.4rem; margin: 0 } h2 { font-size: 1.05rem; margin: 2.2rem 0 .4rem }
nav { margin: 1rem 0; display: flex; flex-wrap: wrap; gap: .2rem 1rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .25rem .7rem .25rem 0; white-space: nowrap; vertical-align: top }
th { color: var(--soft); font-weight: 600; font-size: .85rem; border-bottom: 2px solid var(--line) }
td { border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums }
.none, .note { color: var(--soft) } .changed { color: var(--mark) }
"""


def page(simulator: Simulator) -> str:
    units = simulator.merchants.units.values()
    sections: tuple[tuple[str, tuple[str, ...], Rows], ...] = (
        (
            "Payments",
            ("MSN", "Reference", "Made through", "State", "Amount", "Captured", "Refunded", "Cancelled"),
            payment_rows(simulator),
        ),
        ("Events", ("Time", "MSN", "Reference", "Event", "Amount", "Key", "Success"), event_rows(simulator)),
        ("Refunds", ("Time", "MSN", "Reference", "Amount", "Through", "Keys", "Key"), refund_rows(simulator)),
        (
            "Modifications",
            ("Time", "API", "MSN", "Keys", "Operation", "Reference", "Amount", "Key", "Applied", "Answer", "Fault"),
            modification_rows(simulator),
        ),
        ("Rate-limit windows", ("What", "Which", "MSN", "Used"), limit_rows(simulator)),
        (
            "Webhook deliveries",
            ("No.", "Event", "MSN", "Reference", "State", "Attempts", "Last answer", "Next attempt"),
            notice_rows(simulator),
        ),
        ("Webhook registrations", ("Id", "Of", "URL", "Events"), registration_rows(simulator)),
        (
            "Faults armed",
            ("Id", "Kind", "API", "Operation", "MSN", "Reference", "Times", "Probability", "Hits"),
            fault_rows(simulator),
        ),
        ("Switches", ("Switch", "Stands at", ""), switch_rows(simulator)),
        (
            "Sales units",
            ("MSN", "Name", "Currency", "Keys", "Ledger", "Active"),
            ((each.msn, each.name, each.currency, each.keys.name, each.ledger_id, _yes(each.is_active)) for each in units),
        ),
        (
            "Partners and accountants",
            ("Name", "Keys", "Linked MSNs"),
            holder_rows(simulator),
        ),
        ("Calls so far", ("Operation", "Calls"), iter(sorted(simulator.calls.items()))),
    )
    links = "".join(f'<a href="#{_anchor(name)}">{escape(name)}</a>' for name, _, _ in sections)
    tables = "".join(_section(name, heads, rows) for name, heads, rows in sections)
    intro = (
        f"<p>Its clock says <b>{iso(simulator.now.timestamp())}</b>. It holds {len(simulator.ledger.payments)} payments of "
        f"{len(units)} sales units and has seen {len(simulator.log())} modifications. "
        f"Tables show the last {SHOWN} rows, the newest first.</p>"
    )
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Vipps MobilePay simulator</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
    )
    return f"{head}<body><h1>Vipps MobilePay simulator</h1>{intro}<nav>{links}</nav><main>{tables}</main></body></html>"


def _section(name: str, heads: Iterable[str], rows: Rows) -> str:
    lines = ["".join(f"<td>{_cell(cell)}</td>" for cell in row) for row in islice(rows, SHOWN)]
    title = f'<section id="{_anchor(name)}"><h2>{escape(name)}</h2>'
    if not lines:
        return f'{title}<p class="none">None.</p></section>'
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'{title}<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></section>'


def _cell(cell: object) -> str:
    if cell == "changed":
        return '<span class="changed">changed</span>'
    return escape(str(cell if cell is not None else ""))


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"
