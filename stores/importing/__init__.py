"""Orders from CSV files, through the same verb as a sync: for a store whose system cannot speak REST yet."""

from stores.importing.deciding import cancel_import, start_import
from stores.importing.rows import OPTIONAL, REQUIRED
from stores.importing.taking import LARGEST_FILE, MOST_ROWS, take_file
from stores.importing.working import TASK, move_due, work_on

__all__ = [
    "LARGEST_FILE",
    "MOST_ROWS",
    "OPTIONAL",
    "REQUIRED",
    "TASK",
    "cancel_import",
    "move_due",
    "start_import",
    "take_file",
    "work_on",
]
