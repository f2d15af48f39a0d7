"""Deterministic simulation of the path of money over the real code and a real PostgreSQL: one seed is one schedule."""
