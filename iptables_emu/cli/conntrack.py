"""``iptables-sim conntrack``: the program on the connections of the state, or of a snapshot."""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from iptables_emu.cli.connections import KEY, read_stored, tracker_of
from iptables_emu.cli.streams import read_input, write
from iptables_emu.conntrack.core import Conntrack
from iptables_emu.conntrack.listing import ListingError, read_listing
from iptables_emu.host.host import HostError
from iptables_emu.host.load import load_host
from iptables_emu.packet.printable import printable
from iptables_emu.store.connections import keep
from iptables_emu.store.state import StateError, Store
from iptables_emu.text.conntrack.program import run_conntrack
from iptables_emu.text.programs import Result

if TYPE_CHECKING:
    from iptables_emu.cli.state import Globals

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
        kept = read_stored(store)
        core = tracker_of(kept)
        before = keep(core)
        result = _run(words, core)
        after = keep(core)
        if kept is None or after != before:
            store.put(KEY, json.dumps(after, separators=(",", ":")))
    return result
