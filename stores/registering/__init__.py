"""Registrations at Vipps, made, listed, renewed and deleted by the hub itself, in the processes that may open keys."""

from stores.registering.keeping import keep_registrations

__all__ = ["keep_registrations"]
