#!/usr/bin/env python
"""Starts every command of the platform."""

import os
import sys
import traceback

#: What a mail server understands as "keep the mail and try again" (sysexits.h).
TRY_AGAIN = 75


def main() -> int:
    """Run the command line; a wrong setting is said in one line, without a traceback."""
    # Any other exit code than this makes a mail server give the mail up: what keeps us from starting must not lose it.
    is_pipe = sys.argv[1:2] == ["ingest_bounce"]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "notifications_site.settings")
    if sys.argv[2:3] == ["--plan"]:
        # What run_platform and run_services become when all is prepared: it stays, and so it loads no Django.
        from notifications_site.supervisor_entry import main as supervise  # noqa: PLC0415  only for this

        supervise(int(sys.argv[3]))
        return 0
    try:
        from django.core.management import execute_from_command_line  # noqa: PLC0415  the hint below needs the import here

        from notifications_site.env import WrongSetting  # noqa: PLC0415  Django must be found first
    except ImportError as error:
        sys.stderr.write(f"{error}\nThe packages are not installed: run `make install`, or activate .venv.\n")
        return TRY_AGAIN if is_pipe else 1
    try:
        execute_from_command_line(sys.argv)
    except WrongSetting as error:
        sys.stderr.write(f"{error}\n")
        return TRY_AGAIN if is_pipe else 2
    except SystemExit as ended:
        if is_pipe and ended.code == 2:  # it is called with arguments that there are not
            return TRY_AGAIN
        raise
    except Exception:
        if not is_pipe:
            raise
        traceback.print_exc()
        return TRY_AGAIN
    return 0


if __name__ == "__main__":
    sys.exit(main())
