"""A page to look at: who is in the simulator, what is armed, and the last modifications with their outcome."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from stores.vipps.simulator.clock import iso
from stores.vipps.simulator.simulator import Simulator

_SHOWN = 100
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1c2024 }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .6rem }
th { border-bottom: 2px solid #c8ccd0 } td { border-bottom: 1px solid #e6e8ea; font-variant-numeric: tabular-nums }
.none { color: #60646c }
"""


def page(simulator: Simulator) -> str:
    units = simulator.merchants.units.values()
    partners = simulator.merchants.partners.values()
    log = simulator.log()[-_SHOWN:][::-1]
    parts = [
        f"<p>Its clock says <b>{iso(simulator.now.timestamp())}</b>. "
        f"It holds {len(simulator.ledger.payments)} payments of {len(units)} sales units "
        f"and has seen {len(simulator.log())} modifications.</p>",
        "<h2>Last modifications</h2>",
        _table(
            (
                "Time",
                "MSN",
                "Keys",
                "Operation",
                "Reference",
                "Amount",
                "Idempotency key",
                "Applied",
                "Answer",
                "Fault",
            ),
            (
                (
                    iso(entry.time),
                    entry.msn,
                    entry.keys,
                    entry.operation,
                    entry.reference,
                    f"{entry.amount_minor} {entry.currency}" if entry.amount_minor is not None else "",
                    entry.idempotency_key,
                    "yes" if entry.applied else "repeated" if entry.replayed else "no",
                    f"{entry.status or 'none'} {entry.code or ''}",
                    entry.fault,
                )
                for entry in log
            ),
        ),
        "<h2>Faults armed</h2>",
        _table(
            ("Id", "Kind", "Operation", "MSN", "Reference", "Times", "Probability", "Hits"),
            (
                (
                    entry.id,
                    entry.fault.kind,
                    entry.fault.operation or "any",
                    entry.fault.msn or "any",
                    entry.fault.reference or "any",
                    entry.fault.times or "without end",
                    entry.fault.probability,
                    entry.fired,
                )
                for entry in simulator.faults.armed.values()
            ),
        ),
        "<h2>Sales units</h2>",
        _table(
            ("MSN", "Name", "Currency", "Keys"),
            ((unit.msn, unit.name, unit.currency, unit.keys.name) for unit in units),
        ),
        "<h2>Partners</h2>",
        _table(
            ("Name", "Keys", "Linked MSNs"),
            ((each.name, each.keys.name, ", ".join(sorted(each.msns))) for each in partners),
        ),
        "<h2>Calls so far</h2>",
        _table(("Operation", "Calls"), sorted(simulator.calls.items())),
    ]
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Vipps MobilePay simulator</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
    )
    return f"{head}<body><h1>Vipps MobilePay simulator</h1>{''.join(parts)}</body></html>"


def _table(names: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    lines = ["".join(f"<td>{escape(str(cell if cell is not None else ''))}</td>" for cell in row) for row in rows]
    if not lines:
        return '<p class="none">None.</p>'
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{line}</tr>' for line in lines)}</tbody></table>"
