"""Global options, and running one of the real programs against the state file."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from iptables_emu.model.ruleset import Ruleset
from iptables_emu.text.programs import Environment, program_of, run_program


@dataclass(slots=True)
class Globals:
    """What stands before the iptables arguments, or in the environment."""

    state: Path
    backend: str = "nft"
    strict: bool = False
    as_name: str = ""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Globals:
        default = Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "iptables-sim" / "state.db"
        return cls(
            Path(environ.get("IPTABLES_SIM_STATE") or default),
            environ.get("IPTABLES_SIM_BACKEND") or "nft",
            environ.get("IPTABLES_SIM_STRICT", "") not in ("", "0"),
        )

    def take(self, words: list[str]) -> list[str]:
        """Take our own global options off the front of the words."""
        while words:
            name, equals, value = words[0].partition("=")
            if name == "--strict" and not equals:
                self.strict = True
                words = words[1:]
                continue
            if name not in ("--state", "--backend", "--as"):
                break
            if not equals:
                if len(words) < 2:
                    sys.exit(f"iptables-sim: {name} needs a value")
                value, words = words[1], words[1:]
            words = words[1:]
            if name == "--state":
                self.state = Path(value)
            elif name == "--as":
                self.as_name = value
            else:
                self.backend = value
        if self.backend not in ("nft", "legacy"):
            sys.exit(f"iptables-sim: backend {self.backend!r}: say nft or legacy")
        return words


def run_stateful(argv: Sequence[str], settings: Globals) -> int:
    """Run a real program on the stored ruleset and store what it changed."""
    from iptables_emu.store.state import StateError, Store

    gc.disable()  # a run is short, and a ruleset makes no cycles
    found = program_of(argv[0])
    personality = (found[2] if found else None) or settings.backend
    try:
        with Store(settings.state) as store:
            ruleset: Ruleset = store.load(personality)
            before = dict(ruleset.tables)
            env = Environment(ruleset, settings.strict, read_input)
            result = run_program(argv, env)
            if ruleset.tables != before or list(ruleset.tables) != list(before):
                store.save(ruleset, before)
    except StateError as error:
        sys.stderr.write(f"iptables-sim: {error}\n")
        return 4
    write(sys.stdout, result.stdout)
    write(sys.stderr, result.stderr)
    return result.rc


def read_input() -> str:
    """Standard input, bytes kept."""
    return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")


def write(stream: object, text: str) -> None:
    """Text to a standard stream, bytes kept; a closed pipe is no error."""
    if not text:
        return
    buffer = getattr(stream, "buffer", None)
    try:
        if buffer is not None:
            buffer.write(text.encode("utf-8", "surrogateescape"))
            buffer.flush()
    except BrokenPipeError:
        pass
