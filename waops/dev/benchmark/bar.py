"""Show the benchmark's progress on a terminal: a bar, the current step, and the time left. Elsewhere, lines."""

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from waops.dev.benchmark.progress import Watch
from waops.serving.terminal import Terminal


class Bar:
    """`show` is called with each change."""

    def __init__(self, console: Terminal, *, enabled: bool) -> None:
        self._enabled, self._console = enabled, console
        self._watch: Watch | None = None
        self._line = ""
        on_terminal = enabled and console.is_terminal
        columns = (TextColumn("{task.description}", markup=False), _Reached(), BarColumn(), _Left())
        self._progress = Progress(*columns, console=console, disable=not on_terminal)
        self._task = self._progress.add_task("Starting", watch=None)

    def show(self, watch: Watch) -> None:
        place = f"{watch.number}/{watch.stages} {watch.name}"
        self._progress.update(
            self._task,
            description=f"{place}: {watch.text}" if watch.text else place,
            total=watch.expected,
            completed=watch.reached,
            watch=watch,
        )
        if self._progress.disable and self._enabled and place != self._line:
            self._console.print(f"{place}, {_minutes(watch.seconds_left)}", highlight=False)
            self._line = place

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


class _Reached(ProgressColumn):
    """Drawn several times a second, so that the bar also moves within a stage."""

    def render(self, task: Task) -> Text:
        watch: Watch | None = task.fields["watch"]
        if watch is None:
            return Text("")
        task.completed = watch.reached
        return Text(f"{watch.reached / watch.expected:.0%}")


class _Left(ProgressColumn):
    def render(self, task: Task) -> Text:
        watch: Watch | None = task.fields["watch"]
        return Text(_minutes(watch.seconds_left) if watch else "")


def _minutes(seconds: float) -> str:
    return f"about {seconds / 60:.0f} min left" if seconds > 90 else f"about {seconds:.0f} s left"
