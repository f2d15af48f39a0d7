"""What Vipps itself knows of payments, brought into the index by the processes that hold keys."""

from stores.discovery.reading import Finding, Found, look_up, read_payment

__all__ = ["Finding", "Found", "look_up", "read_payment"]
