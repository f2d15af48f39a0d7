"""Which tests should notice a change of a module, the quick ones first; and which mutants change nothing."""

from collections.abc import Mapping

_FILES: Mapping[str, tuple[str, ...]] = {
    "policy": ("steps", "policy"),
    "gateway": ("steps", "gateway", "ecom_gateway", "refund_path", "release_path"),
    "states": ("steps", "states", "approval", "sweep_ages", "refund_path", "evidence"),
    "deciding": ("steps", "deciding", "deciding_sends"),
}

SUITES: Mapping[str, tuple[str, ...]] = {
    module: tuple(f"tests/refunds/test_{name}.py" for name in names) for module, names in _FILES.items()
}

SAME: Mapping[str, Mapping[str, str]] = {}
"""By module: the name of each mutant that was read and found to mean the same, and why."""
