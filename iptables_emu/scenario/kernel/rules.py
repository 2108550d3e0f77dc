"""Which rule a trace event means: the loaded ruleset by family, table, chain and number."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from iptables_emu.scenario.kernel.netlink import NLM_F_DUMP, Nfnetlink, Subsystem, number_of, text_of
from iptables_emu.scenario.kernel.trace import FAMILY_NAMES, TraceEvent

NFT_GETRULE: Final = 7
COUNTERS: Final = re.compile(r"^\[\d+:\d+\] ")
TARGET: Final = re.compile(r" -(j|g) (\S+)")
FIXED_VERDICTS: Final = {"ACCEPT": "accept", "DROP": "drop", "RETURN": "return", "REJECT": "drop"}

ChainKey = tuple[str, str, str]


@dataclass
class RuleIndex:
    """Rule texts and policies by (family, table, chain), and nft's handles by (family, table, handle)."""

    texts: dict[ChainKey, list[str]] = field(default_factory=dict)
    policies: dict[ChainKey, str] = field(default_factory=dict)
    handles: dict[tuple[str, str, int], int] = field(default_factory=dict)

    def add_save(self, family: str, saved: str) -> None:
        """Take in the output of iptables-save, with or without counters."""
        table = ""
        for line in saved.splitlines():
            line = COUNTERS.sub("", line)
            if line.startswith("*"):
                table = line[1:]
            elif line.startswith(":"):
                chain, policy = line[1:].split()[:2]
                self.policies[family, table, chain] = policy
                self.texts.setdefault((family, table, chain), [])
            elif line.startswith("-A "):
                self.texts.setdefault((family, table, line.split()[1]), []).append(line)

    def add_handles(self, control: Nfnetlink, family: int) -> None:
        """Ask nf_tables for a family's rules; the n-th of a chain is the n-th that was saved."""
        count: dict[tuple[str, str], int] = {}
        for message in control.request(Subsystem.NFTABLES, NFT_GETRULE, family=family, flags=NLM_F_DUMP):
            found = message.attributes()
            place = text_of(found[1]), text_of(found[2])
            count[place] = count.get(place, 0) + 1
            self.handles[FAMILY_NAMES[family], place[0], number_of(found[3])] = count[place]

    def locate(self, event: TraceEvent, backend: str) -> tuple[int | None, str | None]:
        """(number from 1, text) of the rule that an event is about, (None, None) if of none.

        ip_tables calls a rule that ends the chain for all packets "policy" or "return", as it does with the real
        end; its number tells them apart.
        """
        texts = self.texts.get((event.family, event.table, event.chain), [])
        if event.kind != "rule" and (backend == "nft" or event.number > len(texts)):
            return None, None
        index = event.number
        if backend == "nft":
            index = self.handles.get((event.family, event.table, event.number), 0)
        return index, texts[index - 1] if 0 < index <= len(texts) else None

    def verdict(self, event: TraceEvent, rule: str | None) -> str:
        """What a legacy event decided, from the rule's text; empty where that depends on the target."""
        if event.kind == "return":
            return "return"
        if event.kind == "policy":
            return self.policies.get((event.family, event.table, event.chain), "ACCEPT").lower()
        match = TARGET.search(rule or "")
        if not match:
            return "continue"
        if (event.family, event.table, match[2]) in self.policies:
            return f"{'jump' if match[1] == 'j' else 'goto'}:{match[2]}"
        return FIXED_VERDICTS.get(match[2], "")
