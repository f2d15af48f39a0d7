"""Stores and sales units as CSV files: every row through the verb that its page calls, shown first and done then."""
