#!/usr/bin/env python3
"""The door to the hub's commands."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run one management command with the hub's settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hq.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
