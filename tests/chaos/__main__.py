"""Break everything while notifications go out, then compare three logs.

Starts PostgreSQL, RabbitMQ, Redis, a mail server and the platform, all of its own; kills, stops, wipes and freezes them
while clients submit; waits until all has come to rest; and compares what the clients were told, what the mail server
took, and what the database says. Exit code 1 when anything is lost, or doubled without an explanation.

  python -m tests.chaos                               # under eight minutes
  python -m tests.chaos --profile ci                  # about two
  python -m tests.chaos --profile full --seed 7       # 20,000 notifications; the blows of an earlier run again
"""

import argparse
import random
import sys
from dataclasses import replace
from pathlib import Path

from tests.chaos import report
from tests.chaos.campaign import PROFILES, Campaign, Stopped, write
from tests.chaos.servers import ServerMissing

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "chaos.json"
DOCUMENT = ROOT / "docs" / "delivery-guarantees.md"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", choices=PROFILES, default="quick", help="how long and how much (default: quick)")
    parser.add_argument("--seed", type=int, help="the same blows as the run that printed it (default: by chance)")
    parser.add_argument("--notifications", type=int, metavar="N", help="instead of the profile's number")
    parser.add_argument("--json", type=Path, metavar="FILE", default=RESULTS, help="where the result goes")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="copy all logs there before they are gone")
    options = parser.parse_args(arguments)
    if options.notifications is not None and options.notifications < 1:
        parser.error("--notifications must be at least 1.")
    profile = PROFILES[options.profile]
    if options.notifications:
        profile = replace(profile, notifications=options.notifications)
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    print(f"Profile {options.profile}, {profile.notifications} notifications, seed {seed}.", flush=True)
    try:
        result = Campaign(profile, seed=seed, say=Line(), keep=options.keep).run()
    except Stopped:
        print("\nStopped; everything it had started is gone.")
        return 1
    except ServerMissing as missing:
        print(f"\nIt cannot begin: {missing}", file=sys.stderr)
        return 1
    return tell({"name": options.profile} | result, options.json)


def tell(result: dict, path: Path) -> int:
    """The table, the stories, the file; the exit code."""
    write(result, path)
    print(f"\n\n{report.table(result)}\n")
    for each in result["stories"][: report.SHOWN]:
        print(f"{each['id']}: {'; '.join(each['faults'])}", *each["story"], sep="\n    ")
    for words, count in result["ended_by_themselves"].items():
        print(f"{words} ({count} times)")
    if result["client"]["refusal"]:
        print(f"A client was refused: {result['client']['refusal']}")
    if path == RESULTS:
        DOCUMENT.write_text(report.with_campaign(DOCUMENT.read_text(encoding="utf-8"), result), encoding="utf-8")
    is_sound = report.is_sound(result["found"]) and not result["client"]["refusal"]
    print(
        f"{'Sound' if is_sound else 'NOT SOUND'} after {result['seconds']} s; seed {result['seed']}; written to {path}."
    )
    return 0 if is_sound else 1


class Line:
    """One line that changes on a terminal; elsewhere a line every few seconds."""

    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._calls = 0

    def __call__(self, words: str) -> None:
        if self._is_terminal:
            print(f"\r\033[K{words[:118]}", end="", flush=True)
        elif self._calls % 10 == 0 or words.endswith("…"):
            print(words, flush=True)
        self._calls += not words.endswith("…")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
