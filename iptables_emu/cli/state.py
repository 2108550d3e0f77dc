"""Global options, and running one of the real programs against the state file."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iptables_emu.cli.lock import XtablesLock
from iptables_emu.cli.streams import read_input, write
from iptables_emu.model.ruleset import Ruleset
from iptables_emu.packet.printable import printable
from iptables_emu.text.programs import Environment, Result, program_of, run_program

if TYPE_CHECKING:
    from iptables_emu.store.state import Store


class BadOption(Exception):
    """One of our own global options makes no sense; the text says what to say instead."""


class Memory:
    """A state without a file: rulesets by personality, ipsets, and connections as they are kept."""

    def __init__(self) -> None:
        from iptables_emu.host.ipset.sets import IpSets

        self.rulesets = {name: Ruleset(name) for name in ("nft", "legacy")}
        self.sets = IpSets()
        self.connections: dict[str, Any] | None = None


@dataclass(slots=True)
class Globals:
    """What stands before the iptables arguments, or in the environment.

    ``state`` "" is the default file; ``memory`` is the state where there is no file (serve).
    """

    state: str = ""
    backend: str = "nft"
    strict: bool = False
    as_name: str = ""
    state_home: str = ""
    memory: Memory | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Globals:
        return cls(
            environ.get("IPTABLES_SIM_STATE", ""),
            environ.get("IPTABLES_SIM_BACKEND") or "nft",
            environ.get("IPTABLES_SIM_STRICT", "") not in ("", "0"),
            state_home=environ.get("XDG_STATE_HOME", ""),
        )

    @property
    def state_file(self) -> Path:
        """Where the state lies. Raises BadOption without a home directory."""
        if self.state:
            return Path(self.state)
        try:
            home = Path(self.state_home) if self.state_home else Path.home() / ".local" / "state"
        except RuntimeError:
            raise BadOption("no home directory for the state: say --state FILE") from None
        return home / "iptables-sim" / "state.db"

    def take(self, words: list[str]) -> list[str]:
        """Take our own global options off the front of the words. Raises BadOption."""
        while words:
            name, equals, value = words[0].partition("=")
            if name == "--strict" and not equals:
                self.strict = True
                words = words[1:]
                continue
            if name not in ("--state", "--backend", "--as"):
                break
            if not equals:
                value, words = words[1] if len(words) > 1 else "", words[1:]
            words = words[1:]
            if not value:
                raise BadOption(f"{name} needs a value")
            if name == "--state":
                self.state = value
            elif name == "--as":
                self.as_name = value
            else:
                self.backend = value
        if self.backend not in ("nft", "legacy"):
            raise BadOption(f"backend {self.backend!r}: say nft or legacy")
        return words


def run_stateful(argv: Sequence[str], settings: Globals) -> int:
    """Run a real program on the stored ruleset and store what it changed."""
    from iptables_emu.store.state import StateError

    found = program_of(argv[0])
    personality = (found[2] if found else None) or settings.backend
    if found and found[1].endswith("translate"):  # it neither asks nor changes the state
        return _finish(run_program(argv, Environment(Ruleset())))
    if settings.memory is not None:
        sets = dict(settings.memory.sets.families())
        env = Environment(settings.memory.rulesets[personality], settings.strict, read_input, sets)
        return _finish(run_program(argv, env))
    gc.disable()  # a run is short, and a ruleset makes no cycles
    run = _Run(argv, personality, settings)
    try:
        while True:
            try:
                return _finish(run.once())
            except _WaitOutside as waits:
                waits.on()
    except StateError as error:
        write(sys.stderr, f"iptables-sim: {printable(str(error))}\n")
        return 4


class _WaitOutside(Exception):
    """The program waits for something: it begins anew when that is there, since the state is not to be held so long."""

    def __init__(self, on: Callable[[], None]) -> None:
        self.on = on


class _Run:
    """One run of a program on the stored ruleset: within one transaction, which waits for nobody."""

    def __init__(self, argv: Sequence[str], personality: str, settings: Globals) -> None:
        self.argv, self.personality, self.settings = argv, personality, settings
        self.lock = XtablesLock(Path(f"{settings.state_file}.lock"))
        self.input: str | None = None
        self.waited = False

    def once(self) -> Result:
        """Run it and store what it changed. Raises StateError, _WaitOutside."""
        from iptables_emu.store.state import Store

        with Store(self.settings.state_file) as store:
            ruleset: Ruleset = store.load(self.personality)
            before = dict(ruleset.tables)
            env = Environment(ruleset, self.settings.strict, self._input, _families(store), self._lock)
            result = run_program(self.argv, env)
            if ruleset.tables != before or list(ruleset.tables) != list(before):
                store.save(ruleset, before)
        return result

    def _input(self) -> str:
        if self.input is None:
            raise _WaitOutside(self._read)
        return self.input

    def _read(self) -> None:
        self.input = self.lock.read_locking() if self.personality == "legacy" else read_input()

    def _lock(self, seconds: int) -> None:
        if self.lock.take(0):
            return
        if seconds == 0 or self.waited:
            raise self.lock.refusal(seconds)
        raise _WaitOutside(lambda: self._wait(seconds))

    def _wait(self, seconds: int) -> None:
        self.lock.take(seconds)
        self.waited = True


def _families(store: Store) -> dict[str, int]:
    """The ipsets that rules may name."""
    if store.get("ipsets") is None:
        return {}
    from iptables_emu.cli.ipset import stored_families

    return stored_families(store)


def _finish(result: Result) -> int:
    write(sys.stdout, result.stdout)
    write(sys.stderr, result.stderr)
    return result.rc
