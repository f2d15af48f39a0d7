"""What a cashier types or scans, to orders: one entry point for the desk and for REST."""

from stores.search.cursor import Position, read_cursor, write_cursor
from stores.search.finding import Found, Hit, find_orders
from stores.search.payloads import LONGEST_PAYLOAD, references_in

__all__ = ["LONGEST_PAYLOAD", "Found", "Hit", "Position", "find_orders", "read_cursor", "references_in", "write_cursor"]
