"""GRE's call ids (kernel: nf_conntrack_proto_gre.c)."""

from __future__ import annotations

from iptables_emu.conntrack.gre import GreKeys
from iptables_emu.conntrack.table import Conn
from iptables_emu.conntrack.tuples import GRE, ORIGINAL, REPLY, Tuple, names_call

CLIENT, SERVER = 0x0A08000B, 0xCB007107
CONTROL = Tuple(4, CLIENT, SERVER, 6, 4000, 1723)
THERE = Tuple(4, CLIENT, SERVER, GRE, 77, 88)


def test_the_senders_id_is_what_was_announced() -> None:
    keys, master = GreKeys(), Conn([CONTROL, CONTROL.inverse()])
    assert keys.add(master, ORIGINAL, THERE)
    assert keys.complete(THERE._replace(sport=0)) == THERE
    other = THERE._replace(sport=0, dport=89)
    assert keys.complete(other) == other
    keys.forget(master)
    assert keys.complete(THERE._replace(sport=0)).sport == 0


def test_one_call_for_each_direction() -> None:
    keys, master = GreKeys(), Conn([CONTROL, CONTROL.inverse()])
    assert keys.add(master, ORIGINAL, THERE)
    assert keys.add(master, ORIGINAL, THERE._replace(sport=78))  # as good as said again
    assert not keys.add(master, ORIGINAL, THERE._replace(dport=89))
    assert keys.add(master, REPLY, THERE.inverse())


def test_only_pptps_header_names_a_call() -> None:
    assert names_call(bytes.fromhex("3001880b00040058"))
    assert not names_call(bytes.fromhex("3001880b000400"))
    assert not names_call(bytes.fromhex("3000880b00040058"))
