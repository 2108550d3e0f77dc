"""Sets from text, for hosts and the state file, and the rules that name sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from iptables_emu.host.host import Host, HostError
from iptables_emu.host.ipset.sets import IpSets
from iptables_emu.text.ipset.output import dump
from iptables_emu.text.ipset.program import run_ipset

if TYPE_CHECKING:
    from iptables_emu.model.ruleset import Ruleset


def load_sets(host: Host, now: int) -> None:
    """Carry out a host's ``ipset restore`` text at a time (ns since the epoch). Raises HostError."""
    host.ipsets.now = now
    text, host.ipset_text = host.ipset_text, ""
    if not text:
        return
    result = run_ipset(["ipset", "restore"], host.ipsets, lambda: text)
    if result.rc:
        raise HostError(f"host: ipsets: {result.stderr.strip()}")


def keep(sets: IpSets) -> dict[str, Any]:
    """The sets as plain data: the commands that make them, their names, and when the elements run out."""
    tick = sets.tick
    ends = {s.name: [e.expires for e in s.entries(tick)] for s in sets if s.ext.timed}
    return {"now": sets.now, "families": dict(sets.families()), "text": dump(sets), "ends": ends}


def bring_back(data: Mapping[str, Any], now: int) -> IpSets:
    """Sets that were kept, as they are at a time (ns since the epoch)."""
    sets = IpSets(data["now"], seed=now)
    run_ipset(["ipset", "restore"], sets, lambda: str(data["text"]))
    for one in sets:
        for entry, end in zip(one.entries(sets.tick), data["ends"].get(one.name, ()), strict=False):
            entry.expires = end
    sets.now = now
    return sets


def count_rules(rulesets: Iterable[Ruleset]) -> dict[str, int]:
    """How often the rules name each set: a set so named cannot be destroyed."""
    found: Counter[str] = Counter()
    for ruleset in rulesets:
        for family in (4, 6):
            for _, _, _, rule in ruleset.rules(family):
                for extension in (*rule.spec.matches, *([rule.spec.target] if rule.spec.target else ())):
                    found.update(getattr(extension, "set_names", ()))
    return dict(found)
