"""What stores sold: told by their systems, many rows in and an outcome for each, and by Vipps; one row whoever told first."""

from stores.orders.confirmed import Confirmed, as_confirmed
from stores.orders.confirming import Confirmation, confirm_orders
from stores.orders.from_settlement import index_settled
from stores.orders.indexing import index_orders
from stores.orders.opening import open_order, record_opening
from stores.orders.outcomes import Outcome, RowOutcome
from stores.orders.placing_later import place_again, place_payment, stores_that_may_have_sold
from stores.orders.positions import Mark, position_of
from stores.orders.reading import Row, read_batch, read_lines
from stores.orders.rehearsing import Rehearsed, rehearse_orders
from stores.orders.rows import MAX_ROWS, AmountRow, LineRow, OrderRow, UnreadableRow
from stores.orders.settling import settle_contradiction

__all__ = [
    "MAX_ROWS",
    "AmountRow",
    "Confirmation",
    "Confirmed",
    "LineRow",
    "Mark",
    "OrderRow",
    "Outcome",
    "Rehearsed",
    "Row",
    "RowOutcome",
    "UnreadableRow",
    "as_confirmed",
    "confirm_orders",
    "index_orders",
    "index_settled",
    "open_order",
    "place_again",
    "place_payment",
    "position_of",
    "read_batch",
    "read_lines",
    "record_opening",
    "rehearse_orders",
    "settle_contradiction",
    "stores_that_may_have_sold",
]
