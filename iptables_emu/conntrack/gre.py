"""GRE: packets of PPTP tell only the receiver's call id; the sender's is what was announced (kernel: gre_keymap_lookup
in nf_conntrack_proto_gre.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.conntrack.tuples import Tuple

if TYPE_CHECKING:
    from iptables_emu.conntrack.table import Conn


class GreKeys:
    """One tuple for each direction of a control connection, in the order of their announcement."""

    def __init__(self) -> None:
        self.known: list[tuple[Conn, int, Tuple]] = []

    def add(self, master: Conn, direction: int, key: Tuple) -> bool:
        """False: the connection has announced another one already."""
        for conn, side, other in self.known:
            if conn is master and side == direction:
                return other._replace(sport=key.sport) == key
        self.known.append((master, direction, key))
        return True

    def forget(self, master: Conn) -> None:
        self.known = [entry for entry in self.known if entry[0] is not master]

    def complete(self, key: Tuple) -> Tuple:
        """A packet's tuple with its sender's call id, 0 where none is known."""
        return next((other for _, _, other in self.known if other._replace(sport=0) == key), key)
