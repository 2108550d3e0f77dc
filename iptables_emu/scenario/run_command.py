"""``iptables-sim run``: scenarios on the emulator, on the kernel, or on both with their differences."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from iptables_emu.host.host import HostError
from iptables_emu.packet.printable import printable
from iptables_emu.scenario.compare import Observation, compared
from iptables_emu.scenario.format import Loaded, Scenario, ScenarioError, find_files, kernel_refusal, load
from iptables_emu.scenario.report import observation_text

PROGRAM: Final = "iptables-sim run"
OK, DIFFERS, BAD_INPUT = 0, 1, 2

Run = Callable[[Scenario], Observation]


class RunError(Exception):
    """A scenario could not be run; the text says why."""


def run_scenarios(paths: list[str], on: str, fmt: str, stdin: TextIO, stdout: TextIO, stderr: TextIO) -> int:
    """Run the scenarios of files and directories (``-`` is stdin).

    ``on`` is emulator, kernel or both; ``fmt`` json or text.  A file with one scenario is answered by one
    observation, a list by a list.  Returns 0; 1 where there are differences or a run failed; 2 on bad input, or
    where the kernel is wanted and cannot be used.
    """
    try:
        loaded = [load(path, stdin) for path in find_files(paths)]
    except ScenarioError as error:
        return _complain(stderr, error)
    if on == "both":
        return _compare_all(loaded, fmt, stdout)
    try:
        with _kernel() if on == "kernel" else contextlib.nullcontext(_emulator()) as run:
            return _answer_all(loaded, run, on, fmt, stdout, stderr)
    except RunError as error:
        return _complain(stderr, error)


def _complain(stderr: TextIO, error: Exception) -> int:
    stderr.write(f"{PROGRAM}: {printable(str(error))}\n")
    return BAD_INPUT


# -- one side -------------------------------------------------------------------------------------------


def _answer_all(loaded: list[Loaded], run: Run, on: str, fmt: str, stdout: TextIO, stderr: TextIO) -> int:
    status = OK
    for file in loaded:
        answers: list[dict[str, Any]] = []
        for index, scenario in enumerate(file.scenarios):
            try:
                refusal = kernel_refusal(scenario) if on == "kernel" else None
                if refusal:
                    raise RunError(f"not for the kernel: {refusal}")
                answers.append(run(scenario))
            except RunError as error:
                stderr.write(f"{PROGRAM}: {printable(f'{file.label(index)}: {error}')}\n")
                answers.append({"error": str(error)})
                status = DIFFERS
        if fmt == "json":
            stdout.write(json.dumps(answers if file.is_list else answers[0]) + "\n")
            continue
        for index, answer in enumerate(answers):
            stdout.write(f"{_title(file, index)}\n{observation_text(answer)}")
    return status


def _title(file: Loaded, index: int) -> str:
    return printable(f"{file.label(index)} [{file.scenarios[index]['backend']}]")


def _emulator() -> Run:
    def run(scenario: Scenario) -> Observation:
        from iptables_emu.scenario.emulate import emulate  # it brings the whole engine along

        try:
            return emulate(scenario)
        except HostError as error:  # a step that makes no sense
            raise RunError(str(error)) from None
        except Exception as error:  # one scenario must not take the others down
            frame = traceback.extract_tb(error.__traceback__)[-1]
            told = " ".join(f"{type(error).__name__}: {error}".split())
            raise RunError(f"the emulator failed: {told} ({Path(frame.filename).name} line {frame.lineno})") from error

    return run


@contextlib.contextmanager
def _kernel() -> Iterator[Run]:
    """A way to run scenarios on the kernel; RunError where it cannot be used."""
    from iptables_emu.scenario.kernel.process import KernelError
    from iptables_emu.scenario.kernel.runner import KernelRunner, unavailable

    reason = unavailable()
    if reason:
        raise RunError(reason)
    with _ended_by_signals(), KernelRunner() as runner:

        def run(scenario: Scenario) -> Observation:
            try:
                return runner.run(scenario)
            except (KernelError, OSError) as error:
                raise RunError(f"the kernel run failed: {' '.join(str(error).split())}") from error

        yield run


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the program in order, so that namespaces are deleted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, lambda got, _frame: sys.exit(128 + got)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


# -- both sides -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of one scenario: ``status`` is ok, DIFFERS or skipped."""

    name: str
    backend: str
    status: str
    packets: int = 0
    lines: tuple[str, ...] = ()
    reason: str = ""

    def text(self) -> str:
        """As people read it."""
        if self.status == "skipped":
            return printable(f"skipped {self.name} [{self.backend}]: {self.reason}") + "\n"
        packets = f"{self.packets} packet{'s' * (self.packets != 1)}"
        head = f"{self.status} {self.name} [{self.backend}]  {packets}"
        return "".join(f"{printable(line)}\n" for line in (head, *(f"    {line}" for line in self.lines)))

    def json(self) -> dict[str, object]:
        """As programs read it."""
        out: dict[str, object] = {"name": self.name, "backend": self.backend, "status": self.status.lower()}
        if self.status == "skipped":
            return {**out, "reason": self.reason}
        return {**out, "packets": self.packets, "differences": list(self.lines)}


def _compare_all(loaded: list[Loaded], fmt: str, stdout: TextIO) -> int:
    done: list[Comparison] = []
    kernel_missing = ""
    with contextlib.ExitStack() as stack:
        kernel: Run | None = None
        try:
            kernel = stack.enter_context(_kernel())
        except RunError as error:
            kernel_missing = str(error)
        emulator = _emulator()
        for file in loaded:
            for index, scenario in enumerate(file.scenarios):
                comparison = _compare(file.label(index), scenario, kernel, emulator, kernel_missing)
                done.append(comparison)
                if fmt == "text":
                    stdout.write(comparison.text())
                    stdout.flush()
    counts = {status: sum(one.status == status for one in done) for status in ("DIFFERS", "skipped")}
    if fmt == "json":
        stdout.write(json.dumps([one.json() for one in done]) + "\n")
    else:
        stdout.write(f"{len(done)} scenarios, {counts['DIFFERS']} differences, {counts['skipped']} skipped\n")
    if counts["DIFFERS"]:
        return DIFFERS
    return BAD_INPUT if kernel_missing else OK


def _compare(name: str, scenario: Scenario, kernel: Run | None, emulator: Run, kernel_missing: str) -> Comparison:
    backend = str(scenario["backend"])
    refusal = kernel_refusal(scenario)
    if refusal or kernel is None:
        return Comparison(name, backend, "skipped", reason=refusal or kernel_missing)
    try:
        seen = kernel(scenario)
        packets = sum(len(step["packets"]) for step in seen["steps"])
        lines = compared(seen, emulator, scenario)
    except RunError as error:
        return Comparison(name, backend, "DIFFERS", lines=(str(error),))
    return Comparison(name, backend, "DIFFERS" if lines else "ok", packets, tuple(lines))
