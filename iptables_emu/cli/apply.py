"""``iptables-sim apply``: load rules, ask, and go back to the old ones without a yes (iptables-apply's job)."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from dataclasses import dataclass
from pathlib import Path

from iptables_emu.cli.state import Globals
from iptables_emu.cli.streams import write
from iptables_emu.model.ruleset import Ruleset
from iptables_emu.packet.printable import printable
from iptables_emu.text.programs import Environment, Result, run_program

NOT_READABLE, SAVE_FAILED, NOT_WRITABLE, REFUSED, REVERTED = 2, 4, 8, 5, 255
NOT_WRITTEN = 9


@dataclass(frozen=True, slots=True)
class Apply:
    """What was asked for; ``timeout`` in seconds, ``saved`` "" writes no file."""

    rules: str
    timeout: float = 10
    saved: str = ""
    six: bool = False


def run_apply(wanted: Apply, settings: Globals) -> int:
    """Exit status as iptables-apply's: 0 kept, 255 gone back, 2 and 5 the rules cannot be read or loaded."""
    name = printable(wanted.rules)
    try:
        rules = Path(wanted.rules).read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return _error(f"rulesfile not readable: {name}", NOT_READABLE)
    saved = Path(wanted.saved) if wanted.saved else None
    if saved is not None and saved.exists() and not os.access(saved, os.W_OK):
        return _error(f"savefile not writable: {printable(wanted.saved)}", NOT_WRITABLE)
    prefix = "ip6tables" if wanted.six else "iptables"
    old = _run([f"{prefix}-save"], settings)
    if old.rc:
        write(sys.stderr, old.stderr)
        return SAVE_FAILED
    write(sys.stdout, f"Applying new iptables rules from '{name}'... ")
    done = _run([f"{prefix}-restore"], settings, rules)
    write(sys.stderr, done.stderr)
    if done.rc:
        write(sys.stdout, "failed.\n")
        status = _error(f"unknown error applying new iptables rules: {name}", REFUSED)
        _revert(prefix, old.stdout, settings)
        return status
    write(sys.stdout, "done.\nCan you establish NEW connections to the machine? (y/N) ")
    sys.stdout.flush()
    answer = _answer(wanted.timeout)
    write(sys.stdout, "\n")
    if answer not in ("y", "Y"):
        why = "No affirmative response!" if answer else "Timeout! Something happened (or did not)."
        write(sys.stdout, f"{why} Better play it safe...\n")
        _revert(prefix, old.stdout, settings)
        return REVERTED
    if saved is not None:
        write(sys.stdout, f"Writing successfully applied rules to '{printable(wanted.saved)}'...\n")
        try:
            saved.write_bytes(_run([f"{prefix}-save"], settings).stdout.encode("utf-8", "surrogateescape"))
        except OSError:
            return _error(
                f"unknown error writing successfully applied rules: {printable(wanted.saved)}", NOT_WRITTEN
            )
    write(sys.stdout, "... then my job is done. See you next time.\n")
    return 0


def _error(message: str, status: int) -> int:
    write(sys.stderr, f"Error: {message}\n")
    return status


def _revert(prefix: str, old: str, settings: Globals) -> None:
    write(sys.stdout, "Reverting to old iptables rules... ")
    _run([f"{prefix}-restore"], settings, old)
    write(sys.stdout, "done.\n")


def _run(argv: list[str], settings: Globals, text: str = "") -> Result:
    """A real program against the state; another shell may work on it between two calls, as on a real machine."""
    from iptables_emu.store.state import Store

    with Store(settings.state_file) as store:
        ruleset: Ruleset = store.load(settings.backend)
        before = dict(ruleset.tables)
        result = run_program(argv, Environment(ruleset, settings.strict, lambda: text))
        store.save(ruleset, before)
    return result


def _answer(seconds: float) -> str:
    """One key within the time; "" without one."""
    handle = sys.stdin.fileno()
    before = None
    if os.isatty(handle):
        before = termios.tcgetattr(handle)
        tty.setcbreak(handle)
    try:
        ready, _, _ = select.select([handle], [], [], seconds)
        return os.read(handle, 1).decode("ascii", "replace").strip() if ready else ""
    finally:
        if before is not None:
            termios.tcsetattr(handle, termios.TCSADRAIN, before)
