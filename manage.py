#!/usr/bin/env python
"""Starts every command of the platform."""

import os
import sys


def main() -> int:
    """Run the command line; a wrong setting is said in one line, without a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifications_site.settings")
    try:
        from django.core.management import execute_from_command_line  # noqa: PLC0415  the hint below needs the import here

        from notifications_site.env import WrongSetting  # noqa: PLC0415  Django must be found first
    except ImportError as error:
        sys.stderr.write(f"{error}\nThe packages are not installed: run `make install`, or activate .venv.\n")
        return 1
    try:
        execute_from_command_line(sys.argv)
    except WrongSetting as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
