"""The connections of the state file, or of the memory (serve): reading and keeping them."""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING, Any

from iptables_emu.conntrack.core import Conntrack
from iptables_emu.host.host import Host
from iptables_emu.store.connections import bring_back, keep
from iptables_emu.store.state import StateError, Store

if TYPE_CHECKING:
    from iptables_emu.cli.state import Globals

KEY = "connections"


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
        return read_stored(store)


def store_again(settings: Globals, core: Conntrack) -> None:
    """Keep a tracker's connections in the state. Raises StateError."""
    if settings.memory is not None:
        settings.memory.connections = keep(core)
        return
    with Store(settings.state_file) as store:
        store.put(KEY, json.dumps(keep(core), separators=(",", ":")))


def read_stored(store: Store) -> dict[str, Any] | None:
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
