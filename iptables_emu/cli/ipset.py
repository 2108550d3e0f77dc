"""``iptables-sim ipset``: the program on the sets of the state."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from iptables_emu.cli.streams import read_input, write
from iptables_emu.host.ipset.sets import IpSets
from iptables_emu.packet.printable import printable
from iptables_emu.store.state import StateError, Store
from iptables_emu.text.ipset.load import bring_back, count_rules, keep
from iptables_emu.text.ipset.output import dump
from iptables_emu.text.ipset.program import run_ipset

if TYPE_CHECKING:
    from iptables_emu.cli.state import Globals

KEY = "ipsets"


def run_stored(words: Sequence[str], settings: Globals) -> int:
    """Status of ``ipset WORDS`` on the sets of the state file, or of the memory."""
    if settings.memory is not None:
        sets = settings.memory.sets
        sets.now, sets.rules = time.time_ns(), count_rules(settings.memory.rulesets.values())
        result = run_ipset(["ipset", *words], sets, read_input)
    else:
        try:
            with Store(settings.state_file) as store:
                sets = stored_sets(store)
                sets.rules = count_rules(store.load(name) for name in ("nft", "legacy")) if sets.table else {}
                before = dump(sets)
                result = run_ipset(["ipset", *words], sets, read_input)
                if dump(sets) != before:
                    store.put(KEY, json.dumps(keep(sets)))
        except StateError as error:
            write(sys.stderr, f"iptables-sim: {printable(str(error))}\n")
            return 4
    write(sys.stdout, result.stdout)
    write(sys.stderr, result.stderr)
    return result.rc


def stored_sets(store: Store) -> IpSets:
    """The sets of a state file as they are now."""
    kept = store.get(KEY)
    if kept is None:
        return IpSets(time.time_ns(), seed=time.time_ns())
    try:
        return bring_back(json.loads(kept), time.time_ns())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StateError(f"damaged ipsets in the state ({error}); remove it or choose another with --state") from None


def stored_families(store: Store) -> dict[str, int]:
    """The names of the sets with their families, without making the sets."""
    kept = store.get(KEY)
    return {} if kept is None else dict(json.loads(kept)["families"])
