"""``iptables-sim conntrack``: the program on the connections of the state, or of a snapshot."""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from iptables_emu.cli.streams import read_input, write
from iptables_emu.conntrack.core import Conntrack
from iptables_emu.conntrack.listing import ListingError, read_listing
from iptables_emu.host.host import Host, HostError
from iptables_emu.host.load import load_host
from iptables_emu.packet.printable import printable
from iptables_emu.store.connections import bring_back, keep
from iptables_emu.store.state import StateError, Store
from iptables_emu.text.conntrack.program import run_conntrack
from iptables_emu.text.programs import Result

if TYPE_CHECKING:
    from iptables_emu.cli.state import Globals

KEY = "connections"
BAD_INPUT, BAD_STATE = 2, 4


def run_stored(words: Sequence[str], settings: Globals) -> int:
    """Status of ``conntrack WORDS`` on the connections of the state file, of the memory, or of ``--host FOLDER``.

    The state's clock stands still but for ``trace --sleep``. A snapshot is only read.
    """
    try:
        if words and words[0].partition("=")[0] == "--host":
            result = _of_snapshot(words)
        else:
            result = _of_state(words, settings)
    except StateError as error:
        return _complain(str(error), BAD_STATE)
    except HostError as error:
        return _complain(str(error), BAD_INPUT)
    write(sys.stdout, result.stdout)
    write(sys.stderr, result.stderr)
    return result.rc


def _complain(text: str, status: int) -> int:
    write(sys.stderr, f"iptables-sim: {printable(text)}\n")
    return status


def _run(words: Sequence[str], core: Conntrack) -> Result:
    return run_conntrack(["conntrack", *words], core, read_input, os.getpid())


def _of_snapshot(words: Sequence[str]) -> Result:
    _, equals, folder = words[0].partition("=")
    if not equals:
        folder = words[1] if len(words) > 1 else ""
    host = load_host(folder)
    core = Conntrack(host.sysctls, random.Random(0))
    core.now = time.time_ns()
    try:
        read_listing(host.connections, core)
    except ListingError as error:
        raise HostError(f"{folder}: {error}") from None
    return _run(words[1 if equals else 2 :], core)


def _of_state(words: Sequence[str], settings: Globals) -> Result:
    if settings.memory is not None:
        core = tracker_of(settings.memory.connections)
        result = _run(words, core)
        settings.memory.connections = keep(core)
        return result
    with Store(settings.state_file) as store:
        kept = _read(store)
        core = tracker_of(kept)
        before = keep(core)
        result = _run(words, core)
        after = keep(core)
        if kept is None or after != before:
            store.put(KEY, json.dumps(after, separators=(",", ":")))
    return result


def tracker_of(kept: dict[str, Any] | None) -> Conntrack:
    """A tracker with what was kept; the clock begins at this moment when nothing was. Raises StateError."""
    core = Conntrack(Host().sysctls, random.Random(0))
    core.now = time.time_ns()
    fill(core, kept)
    return core


def fill(core: Conntrack, kept: dict[str, Any] | None) -> None:
    """Bring back what was kept, and record from now on. Raises StateError."""
    core.record.wanted = True
    if kept is None:
        return
    try:
        bring_back(kept, core)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise damaged(" ".join(str(error).split())) from None


def damaged(told: str) -> StateError:
    return StateError(f"damaged connections in the state ({told}); remove it or choose another with --state")


def now_of(kept: dict[str, Any]) -> int:
    """The state's clock (ns). Raises StateError."""
    now = kept.get("now")
    if not isinstance(now, int):
        raise damaged("no time")
    return now


def stored(settings: Globals) -> dict[str, Any] | None:
    """What the state keeps. Raises StateError."""
    if settings.memory is not None:
        return settings.memory.connections
    with Store(settings.state_file) as store:
        return _read(store)


def store_again(settings: Globals, core: Conntrack) -> None:
    """Keep a tracker's connections in the state. Raises StateError."""
    if settings.memory is not None:
        settings.memory.connections = keep(core)
        return
    with Store(settings.state_file) as store:
        store.put(KEY, json.dumps(keep(core), separators=(",", ":")))


def _read(store: Store) -> dict[str, Any] | None:
    text = store.get(KEY)
    if text is None:
        return None
    try:
        kept = json.loads(text)
    except (ValueError, RecursionError) as error:
        kept = error
    if not isinstance(kept, dict):
        raise damaged(str(kept))
    return kept
