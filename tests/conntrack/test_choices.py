"""NAT's choices and TCP's transitions, as measured on the kernel."""

from __future__ import annotations

import random

import pytest

from iptables_emu.conntrack import nat
from iptables_emu.conntrack.core import Conntrack
from iptables_emu.conntrack.nat_range import NatRange
from iptables_emu.conntrack.table import Conn
from iptables_emu.conntrack.tcp_state import KINDS, STATES, TRANSITIONS
from iptables_emu.conntrack.tuples import Tuple
from iptables_emu.host.sysctl import Sysctls
from iptables_emu.model.address import network


def address(text: str) -> int:
    return network(text)[1]


def key(src: str, dst: str, proto: int = 17, sport: int = 4000, dport: int = 53) -> Tuple:
    return Tuple(4, address(src), address(dst), proto, sport, dport)


def core() -> Conntrack:
    return Conntrack(Sysctls(), random.Random(1))


def known(tracker: Conntrack, original: Tuple, wanted: NatRange | None = None) -> Conn:
    """A confirmed connection, its source translated."""
    conn = Conn([original, original.inverse()])
    if wanted:
        nat.setup(tracker, conn, wanted, "src")
    tracker.table.insert(conn)
    return conn


def single(text: str, low: int | None = None, high: int | None = None, **more) -> NatRange:
    return NatRange(address(text), address(text), low, high, **more)


def test_the_source_port_is_kept_when_it_is_free() -> None:
    tracker = core()
    conn = known(tracker, key("10.8.0.9", "203.0.113.7"), single("192.168.5.3"))
    assert conn.reply == key("203.0.113.7", "192.168.5.3", sport=53, dport=4000)


@pytest.mark.parametrize(
    ("sport", "low", "high"), [(300, 1, 511), (600, 600, 1023), (512, 600, 1023), (4000, 1024, 65535)]
)
def test_on_a_clash_the_port_stays_in_its_class(sport: int, low: int, high: int) -> None:
    tracker = core()
    known(tracker, key("10.8.0.9", "203.0.113.7", sport=sport), single("192.168.5.3"))
    other = known(tracker, key("10.8.0.10", "203.0.113.7", sport=sport), single("192.168.5.3"))
    assert other.reply.dport != sport
    assert low <= other.reply.dport <= high


def test_a_source_keeps_its_mapping_for_another_server() -> None:
    tracker = core()
    known(tracker, key("10.8.0.9", "203.0.113.7"), single("192.168.5.3"))
    clashing = known(tracker, key("10.8.0.10", "203.0.113.7"), single("192.168.5.3"))
    again = known(tracker, key("10.8.0.10", "203.0.113.8"), single("192.168.5.3"))
    assert again.reply.dport == clashing.reply.dport


def test_dnat_to_a_port_range_takes_the_first_free_port() -> None:
    tracker = core()
    for expected in (8000, 8001):
        conn = Conn([key("10.8.0.9", "203.0.113.7", 6, 4000, 80 + expected - 8000)] * 2)
        conn.tuples[1] = conn.original.inverse()
        nat.setup(tracker, conn, single("10.0.0.1", 8000, 8010), "dst")
        tracker.table.insert(conn)
        assert conn.reply.sport == expected


def test_a_port_inside_the_range_is_kept() -> None:
    conn = known(core(), key("10.8.0.9", "203.0.113.7", 6, 2000, 80), single("192.168.5.3", 1024, 32000))
    assert conn.reply.dport == 2000


def test_an_address_of_a_range_follows_from_the_addresses() -> None:
    wanted = NatRange(address("192.168.5.100"), address("192.168.5.103"))
    picks = {
        known(core(), key("10.8.0.9", "203.0.113.7", sport=port), wanted).reply.dst for port in (1024, 4000, 60000)
    }
    assert len(picks) == 1
    assert wanted.min_addr <= picks.pop() <= wanted.max_addr


def test_every_transition_is_there() -> None:
    assert set(TRANSITIONS) == {(d, k, s) for d in (0, 1) for k in KINDS for s in STATES}


@pytest.mark.parametrize(("direction", "kind", "before", "after"), [
    (0, "syn", "NONE", "SYN_SENT"), (1, "synack", "SYN_SENT", "SYN_RECV"), (0, "ack", "SYN_RECV", "ESTABLISHED"),
    (0, "ack", "NONE", "ESTABLISHED"), (0, "synack", "NONE", "INVALID"), (0, "rst", "NONE", "INVALID"),
    (0, "syn", "ESTABLISHED", "IGNORE"), (1, "syn", "SYN_SENT", "SYN_SENT2"), (1, "ack", "SYN_SENT", "IGNORE"),
    (0, "fin", "ESTABLISHED", "FIN_WAIT"), (1, "ack", "FIN_WAIT", "CLOSE_WAIT"), (1, "fin", "CLOSE_WAIT", "LAST_ACK"),
    (0, "ack", "LAST_ACK", "TIME_WAIT"), (0, "syn", "TIME_WAIT", "SYN_SENT"), (1, "rst", "ESTABLISHED", "CLOSE"),
])  # fmt: skip
def test_transitions(direction: int, kind: str, before: str, after: str) -> None:
    assert TRANSITIONS[direction, kind, before] == after


@pytest.mark.parametrize(
    ("src", "dst", "chosen"),
    [
        ("2001:db8:8::10", "2001:db8:9::77", "fd00:2::d"),
        ("2001:db8:8::11", "2001:db8:9::77", "fd00:2::1d"),
        ("2001:db8:8::16", "2001:db8:9::77", "fd00:2::4e"),
        ("2001:db8:8::1", "2001:db8:8::10", "fd00:2::42"),
    ],
)
def test_an_ipv6_destination_is_chosen_with_the_words_already_chosen(src: str, dst: str, chosen: str) -> None:
    """Measured: DNAT to fd00:2::9-fd00:2::50."""
    flow = Tuple(6, address(src), address(dst), 17, 4000, 53)
    wanted = NatRange(address("fd00:2::9"), address("fd00:2::50"))
    assert nat.best_address(flow, wanted, "dst", 0).dst == address(chosen)
