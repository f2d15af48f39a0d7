"""Which tests should notice a change of a module, the quick ones first; and which mutants change nothing."""

from collections.abc import Mapping

_FILES: Mapping[str, tuple[str, ...]] = {
    "policy": ("steps", "policy"),
    "rules": ("steps", "rules"),
    "gateway": ("steps", "gateway", "gateway_calls", "ecom_gateway"),
    "states": ("steps", "states"),
    "deciding": ("steps", "deciding", "deciding_sends"),
}

SUITES: Mapping[str, tuple[str, ...]] = {
    module: tuple(f"tests/refunds/test_{name}.py" for name in names) for module, names in _FILES.items()
}

SAME: Mapping[str, Mapping[str, str]] = {
    "policy": {
        "ReplaceComparisonOperator_Gt_NotEq: if facts.captured_minor is None or facts.captured_minor > 0: -> "
        "if facts.captured_minor is None or facts.captured_minor != 0:": "what was captured is never less than nothing",
    },
}
"""By module: the name of each mutant that was read and found to mean the same, and why."""
