"""`lcdb seed`: load development data into a database, or draw it as a picture."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.addresses import find_database
from cli.console import INTERRUPTED, console
from cli.options import DsnOption, JsonOption, StackOption

if TYPE_CHECKING:
    from seed import Spec
    from seed.load.loader import Seeded

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"]
CountOption = Annotated[int | None, typer.Option(metavar="ROWS", help="Exactly so many, else in proportion.")]


class UsageError(Exception):
    """Options contradict each other; the message is one line that names them."""


def seed(stack: StackOption = None, *, dsn: DsnOption = None,
         users: Annotated[int, typer.Option(help="People; five profiles take turns.")] = 5,
         devices_per_user: Annotated[int, typer.Option(help="A phone, then room sensors.")] = 3,
         days: Annotated[int | None, typer.Option(help="Days of data, 30 unless said otherwise.")] = None,
         interval: Annotated[int | None, typer.Option(metavar="SECONDS", help=(
             "Seconds between two readings of a device; without it, the specification's amount."))] = None,
         readings: CountOption = None, activities: CountOption = None, notifications: CountOption = None,
         number: Annotated[int, typer.Option(help="The same number and end give the same data.")] = 20260101,
         locale: Annotated[str, typer.Option(help="Of names and streets, as Faker calls it.")] = "fr_FR",
         since: Annotated[datetime | None, typer.Option(
             formats=_FORMATS, help="Where the data begins in UTC, in place of --days.")] = None,
         until: Annotated[datetime | None, typer.Option(formats=_FORMATS, help="Its end in UTC, else now.")] = None,
         add: Annotated[bool, typer.Option("--add", help="Also where tables have rows, which stay.")] = False,
         compress: Annotated[bool, typer.Option("--compress", help="Compress old chunks, by their policies.")] = False,
         workers: Annotated[int | None, typer.Option(min=1, max=64, help="Connections that load side by side.")] = None,
         resume: Annotated[bool, typer.Option("--resume", help="Finish the load that was interrupted.")] = False,
         discard: Annotated[bool, typer.Option("--discard", help="Remove the load that was interrupted.")] = False,
         as_json: JsonOption = False,
         preview: Annotated[Path | None, typer.Option(help="Draw the data into this PNG and load nothing.")] = None
         ) -> None:
    """Load realistic data into empty tables; does nothing where tables have rows, unless --add is given."""
    from seed import Spec
    from seed.spec import days_between

    if resume and discard:
        raise UsageError("--resume and --discard: they exclude each other; give one of them")
    end = until and until.replace(tzinfo=UTC)
    if since:
        if days is not None:
            raise UsageError("--since and --days: both say where the data begins; give one of them")
        days = days_between(since.replace(tzinfo=UTC), end)
    spec = Spec(users=users, devices_per_user=devices_per_user, days=30 if days is None else days, interval=interval,
                readings=readings, activities=activities, notifications=notifications, number=number,
                until=end, locale=locale)
    if preview:
        _draw(spec, preview)
    elif discard:
        _discard(stack, dsn, as_json)
    else:
        _load(stack, dsn, spec, as_json, resume=resume, add=add, compress=compress, workers=workers)


def _draw(spec: Spec, path: Path) -> None:
    from seed.preview import draw, people_to_draw

    draw(spec, path)
    shown = people_to_draw(spec)
    whom = ", ".join(f"{person.name} ({person.profile.name})" for person in shown)
    console.print(f"drawn: {path}: {len(shown)} of {spec.users} people, each of another profile: {whom}; the week is "
                  "the first one's", soft_wrap=True, markup=False)


def _discard(stack: str | None, dsn: str | None, as_json: bool) -> None:
    from seed.load.loader import discard

    _, address = find_database(stack, dsn)
    removed = discard(address)
    if as_json:
        print(json.dumps({"discarded": removed}))
        return
    console.print("the interrupted load is removed" if removed else "there is no interrupted load")


def _load(stack: str | None, dsn: str | None, spec: Spec, as_json: bool, *, resume: bool, **manner: Any) -> None:
    from seed.errors import InterruptedLoadError
    from seed.load.loader import LoadOptions
    from seed.load.loader import resume as finish
    from seed.load.loader import seed as load

    _, address = find_database(stack, dsn)
    try:
        with _bars(shown=not as_json) as listener:
            done = (finish(address, listener, LoadOptions(**manner)) if resume else
                    load(address, spec, listener, LoadOptions(**manner)))
    except InterruptedLoadError as error:
        console.print(str(error), style="yellow", markup=False, soft_wrap=True)
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print(json.dumps({"counts": dict(done.counts), "skipped": done.skipped, "resumed": done.resumed,
                          "seconds": round(done.seconds, 3), "number": spec.number}))
        return
    console.print(_summary(done), soft_wrap=True)


def _summary(done: Seeded) -> str:
    rows = ", ".join(f"{table} {count:,}" for table, count in done.counts.items())
    if done.skipped:
        return f"tables have rows already and were left alone (--add loads beside them): {rows}"
    pace = sum(done.counts.values()) / max(done.seconds, 0.001)
    return f"{'finished' if done.resumed else 'loaded'} in {done.seconds:.1f} s, {pace:,.0f} rows/s: {rows}"


@contextmanager
def _bars(*, shown: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A listener for progress that shows a bar for each table and stage, with its rate and the time left."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Task as Bar
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Bar) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.0f}/s" if speed else "")

    if shown and not console.is_terminal:
        # In a log there is no bar: a line for what is done.
        yield lambda table, done, total: console.print(f"{table}: {done:,}") if done == total else None
        return
    tasks: dict[str, TaskID] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not shown) as bars:
        def listener(table: str, done: int, total: int) -> None:
            if table not in tasks:
                tasks[table] = bars.add_task(table, total=total)
            bars.update(tasks[table], completed=done)
        yield listener
