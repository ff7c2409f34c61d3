"""Gives dead letters another life, or lays them aside."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import InterfaceError, OperationalError

from gateway import dead_letters
from gateway.dead_letters import Choice, Forecast, Groups
from gateway.reasons import REASONS, word
from templates_app.models import Template
from users.channels import Channel
from users.command_line import ExamplesCommand, Progress, operator, positive, rate, since, sure

USAGE, PARTLY = 2, 3
#: How `--provider` names what no provider ever had.
NOBODY = "none"


class Command(ExamplesCommand):
    help = "Replay dead letters, or discard them, chosen by filters."
    examples = (
        "manage.py replay_dead_letters --dry-run",
        'manage.py replay_dead_letters --provider smtp --since 2h --why "the mail server is back"',
        'manage.py replay_dead_letters --reason attempts_exhausted --limit 5000 --rate 50/s --why "again" --yes',
        'manage.py replay_dead_letters --template weekly_news --discard --why "too old" --yes --json',
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which ones, what, how fast, and why."""
        parser.add_argument("--reason", help="a code of docs/reference/reasons.md, such as attempts_exhausted")
        parser.add_argument("--provider", help=f"who had it last; {NOBODY}: nobody")
        parser.add_argument("--template", metavar="CODE", help="a template's code")
        parser.add_argument("--channel", choices=Channel.values, help="email or push")
        parser.add_argument("--tests", action="store_true", help="those of test keys and the simulator, not the others")
        parser.add_argument("--since", type=since, metavar="2h", help="given up since 2h or 2026-11-01 (UTC)")
        parser.add_argument("--limit", type=positive, metavar="N", help="at most N, those given up first")
        parser.add_argument("--rate", type=rate, metavar="50/s", help="no faster than 50/s, 600/m or 1000/h")
        parser.add_argument(
            "--include-doubtful", action="store_true", help="also what may have gone out: may come twice"
        )
        parser.add_argument("--discard", action="store_true", help="lay them aside for good instead")
        parser.add_argument("--why", metavar="WORDS", help="the reason; kept with each of them")
        parser.add_argument("--dry-run", action="store_true", help="change nothing; say what would happen")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0 when done, 1 when not, 2 for wrong arguments, 3 when only a part was done."""
        choice = chosen_by(options)
        why = worded(options)
        if options["discard"] and (options["rate"] or options["include_doubtful"]):
            raise CommandError("--rate and --include-doubtful have no meaning with --discard.", returncode=USAGE)
        groups = dead_letters.grouped(choice)
        forecast = None if options["discard"] else self._forecast(choice, options)
        if not options["json"]:
            self._show(groups, forecast)
        if options["dry_run"] or groups.total == 0 or (forecast and forecast.count == 0):
            self._end(options, groups, forecast, done=0)
            return
        if not options["yes"]:
            self._ask(options, groups, forecast)
        self._end(options, groups, forecast, done=self._act(choice, why, options))

    def _forecast(self, choice: Choice, options: dict[str, Any]) -> Forecast:
        return dead_letters.foretell(choice, most=options["limit"], include_doubtful=options["include_doubtful"])

    def _ask(self, options: dict[str, Any], groups: Groups, forecast: Forecast | None) -> None:
        """The default is No. Raises CommandError for everything else than yes."""
        count, is_capped = (forecast.count, forecast.is_capped) if forecast else (groups.total, groups.is_capped)
        if options["discard"] and options["limit"]:
            count, is_capped = min(count, options["limit"]), is_capped and count < options["limit"]
        verb = "Discard" if options["discard"] else "Replay"
        sure(self, f"{verb} {counted(count, is_capped=is_capped)}?")

    def _act(self, choice: Choice, why: str, options: dict[str, Any]) -> int:
        progress = Progress(self)
        who = f"{operator()} (command line)"
        try:
            if options["discard"]:
                return dead_letters.discard_dead_letters(
                    choice, who=who, why=why, limit=options["limit"], on_batch=progress.note
                )
            return dead_letters.replay_dead_letters(
                choice,
                who=who,
                why=why,
                limit=options["limit"],
                per_second=options["rate"],
                include_doubtful=options["include_doubtful"],
                on_batch=progress.note,
            )
        except KeyboardInterrupt as error:
            raise CommandError(
                f"Interrupted after {progress.done}.", returncode=PARTLY if progress.done else 1
            ) from error
        except (OperationalError, InterfaceError) as error:
            words = f"The database went away after {progress.done}; the rest is as it was: {error}".strip()
            raise CommandError(words, returncode=PARTLY if progress.done else 1) from error
        finally:
            progress.close()

    def _show(self, groups: Groups, forecast: Forecast | None) -> None:
        if not groups.total:
            self.stdout.write("No dead letters match.")
            return
        for line in as_table(groups):
            self.stdout.write(line)
        for line in as_sentences(forecast) if forecast else ():
            self.stdout.write(line)

    def _end(self, options: dict[str, Any], groups: Groups, forecast: Forecast | None, *, done: int) -> None:
        if options["json"]:
            self.stdout.write(as_json(options, groups, forecast, done))
        elif options["dry_run"]:
            self.stdout.write("Nothing was changed.")
        elif groups.total:
            self.stdout.write(f"{'Discarded' if options['discard'] else 'Replayed'}: {done}.")


def chosen_by(options: dict[str, Any]) -> Choice:
    """The filters of the command line. Raises CommandError for what does not exist."""
    if options["reason"] is not None and options["reason"] not in REASONS:
        raise CommandError(
            f"--reason {options['reason']} is no reason; docs/reference/reasons.md lists them.", returncode=USAGE
        )
    code = options["template"]
    if code is not None and not Template.objects.filter(code=code).exists():
        raise CommandError(f"--template {code}: there is no template with this code.", returncode=USAGE)
    return Choice(
        reason=options["reason"],
        provider="" if options["provider"] == NOBODY else options["provider"],
        template=code,
        channel=options["channel"],
        is_simulated=options["tests"],
        since=options["since"],
    )


def worded(options: dict[str, Any]) -> str:
    """The reason, which only a dry run can do without. Raises CommandError."""
    why = (options["why"] or "").strip()
    if not why and not options["dry_run"]:
        raise CommandError(
            '--why "…" is missing: it is kept with each of them. Or look with --dry-run.', returncode=USAGE
        )
    if len(why) > 200 or not why.isprintable():
        raise CommandError("--why has at most 200 printable characters.", returncode=USAGE)
    return why


def counted(count: int, *, is_capped: bool = False) -> str:
    """`1 dead letter`, `10000 or more dead letters`."""
    more = " or more" if is_capped else ""
    return f"{count}{more} dead letter{'' if count == 1 and not is_capped else 's'}"


def as_table(groups: Groups) -> list[str]:
    """The groups, the biggest first."""
    head = ["count", "reason", "provider", "template", "first", "last"]
    rows = [
        [
            str(each.count),
            f"{each.reason} ({word(each.reason)})",
            each.provider or NOBODY,
            each.template,
            f"{each.first_at:%Y-%m-%d %H:%M}",
            f"{each.last_at:%Y-%m-%d %H:%M} UTC",
        ]
        for each in groups.groups
    ]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if n == 0 else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [head, *rows]
    ]
    return [*(line.rstrip() for line in lines), f"In all: {counted(groups.total, is_capped=groups.is_capped)}."]


def as_sentences(forecast: Forecast) -> list[str]:
    """What a replay would do."""
    lines = [f"A replay would revive {counted(forecast.count, is_capped=forecast.is_capped)}."]
    if forecast.refused:
        again = ", ".join(f"{count} × {reason}" for reason, count in sorted(forecast.refused.items()))
        lines.append(f"Of these would end again at once: {again}.")
    if forecast.doubtful:
        lines.append(f"May have gone out, and may arrive twice (--include-doubtful): {forecast.doubtful}.")
    if forecast.taken:
        lines.append(f"Never replayed, because a provider has them: {forecast.taken}.")
    return lines


def as_json(options: dict[str, Any], groups: Groups, forecast: Forecast | None, done: int) -> str:
    """For machines."""
    told: dict[str, Any] = {
        "dry_run": options["dry_run"],
        "discarded" if options["discard"] else "replayed": done,
        "total": groups.total,
        "is_capped": groups.is_capped,
        "groups": [
            {
                "reason": each.reason,
                "provider": each.provider,
                "template_code": each.template,
                "count": each.count,
                "first_at": each.first_at.isoformat(),
                "last_at": each.last_at.isoformat(),
            }
            for each in groups.groups
        ],
    }
    if forecast:
        told["forecast"] = {
            "count": forecast.count,
            "is_capped": forecast.is_capped,
            "refused": forecast.refused,
            "doubtful": forecast.doubtful,
            "taken": forecast.taken,
        }
    return json.dumps(told, ensure_ascii=False)
