"""Seeds that once failed, and what they showed: kept for ever, and played again with every run of the tests."""

KEPT: dict[int, str] = {}
