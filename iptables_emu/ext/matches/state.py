"""state: the conntrack state of a packet (kernel: xt_conntrack.c; libxtables turns it into conntrack's revision 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext.api import Base, Gathered, Match, Opt, Region
from iptables_emu.ext.ct_state import nft_states, show_states, state_boxes, states_option


@dataclass(frozen=True, slots=True)
class State(Match):
    """``states`` are bits, as xt_conntrack numbers them."""

    NAME: ClassVar[str] = "state"
    NEEDS_CONNTRACK: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("state", states_option("state", nat=False), invert=True, mandatory=True, metavar="state[,...]",
            help="states to match: INVALID, ESTABLISHED, NEW, RELATED, UNTRACKED"),
    )  # fmt: skip

    states: int
    inverted: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["state"].value, given["state"].inverted)

    def save(self, base: Base) -> str:
        return f"{' !' if self.inverted else ''} --state {show_states(self.states)}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f"{' !' if self.inverted else ''} state {show_states(self.states)}"

    def translate(self, base: Base) -> str:
        return nft_states(self.states, self.inverted)

    def region(self, base: Base) -> Region:
        return Region(state_boxes(self.states, self.inverted, self.save(base).strip()))


EXTENSIONS = (State,)
