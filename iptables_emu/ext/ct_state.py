"""The states of state and conntrack: words, text and meaning (kernel: xt_conntrack.c, conntrack_mt)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from iptables_emu.ext.region import Clause, masked, within
from iptables_emu.ext.words import Word, word_list
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.packet.ct_fields import DST_NAT, ESTABLISHED, INVALID, NEW, RELATED, SRC_NAT, UNTRACKED

SNAT_BIT, DNAT_BIT = 1 << 6, 1 << 7
STATES: tuple[Word, ...] = (("INVALID", 1 << INVALID), ("NEW", 1 << NEW), ("ESTABLISHED", 1 << ESTABLISHED),
                            ("RELATED", 1 << RELATED), ("UNTRACKED", 1 << UNTRACKED))  # fmt: skip
NAT_STATES: tuple[Word, ...] = (("SNAT", SNAT_BIT), ("DNAT", DNAT_BIT))
SHOWN = ("INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT")
BITS = dict(STATES + NAT_STATES)

Boxes = tuple[tuple[Clause, ...], ...]


def states_option(option: str, nat: bool) -> Callable[[str, OptionContext], int]:
    """``NEW,ESTABLISHED`` -> their bits; ``option`` is "ctstate" or "state"."""
    table = STATES + NAT_STATES if nat else STATES

    def bad(rest: str, last: bool) -> NoReturn:
        if not rest and not nat:
            raise ParameterProblem(
                f'"--{option}" requires a list of states with no spaces, e.g. ESTABLISHED,RELATED'
            )
        raise ParameterProblem(f'Bad {option} "{rest}"')

    return lambda text, cx: word_list(text, table, bad)


def show_states(states: int) -> str:
    """``NEW,ESTABLISHED`` in iptables' order."""
    return ",".join(name for name in SHOWN if states & BITS[name])


def nft_states(states: int, inverted: bool) -> str:
    """``ct state ! new,established`` in nft's language."""
    words = ",".join(name.lower() for name in SHOWN[:5] if states & BITS[name])
    return f"ct state {'! ' if inverted else ''}{words}"


def state_boxes(states: int, inverted: bool, label: str) -> Boxes:
    """When the packet's state is one of them; SNAT and DNAT ask for a bit of the connection's status."""
    words = within("ctstate", ((n, n) for n in sorted((INVALID, ESTABLISHED, RELATED, NEW, UNTRACKED))
                               if states >> n & 1), inverted, label)  # fmt: skip
    nat = (SRC_NAT if states & SNAT_BIT else 0) | (DST_NAT if states & DNAT_BIT else 0)
    if not nat:
        return ((words,),)
    bits = masked("ctnat", 0, nat, not inverted, label)
    if not words.ranges:
        return ((bits,),)
    return ((words, bits),) if inverted else ((words,), (bits,))
