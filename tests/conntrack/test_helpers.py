"""Helpers where the kernel's outcome is random, or not known here; the rest is in tests/kernel/scenarios."""

from __future__ import annotations

import random

import pytest

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.core import Conntrack
from iptables_emu.conntrack.expect import Expectation
from iptables_emu.conntrack.helpers import unknown
from iptables_emu.conntrack.table import Conn
from iptables_emu.conntrack.tuples import Tuple
from iptables_emu.engine.verdict import Verdict
from iptables_emu.host.sysctl import Sysctls
from iptables_emu.packet.packet import Packet

SERVER, CLIENT, OTHER, OUTSIDE = 0xCB007107, 0x0A08000B, 0x0A08000C, 0xC0A80503


def master(client: int) -> Conn:
    key = Tuple(4, client, SERVER, 6, 4000, 21)
    return Conn([key, key.inverse()], status=t.CONFIRMED, helper="ftp")


def announced(conn: Conn, port: int) -> Expectation:
    return Expectation(conn, 4, SERVER, OUTSIDE, 6, port)


def test_a_port_that_another_client_announced_is_replaced_by_one_above_it() -> None:
    """Kernel: the second of two FTP clients behind one address got 17696, 10332 ... for 5000."""
    core = Conntrack(Sysctls(), random.Random(1))
    assert core.expectations.add_at_port(announced(master(CLIENT), 5000), 0, core.rng)
    second = announced(master(OTHER), 5000)
    assert core.expectations.add_at_port(second, 0, core.rng)
    assert 5000 < second.dport < 65535
    assert len(core.expectations.waiting) == 2


def test_no_port_is_left_above_the_last() -> None:
    core = Conntrack(Sysctls(), random.Random(1))
    assert core.expectations.add_at_port(announced(master(CLIENT), 65535), 0, core.rng)
    assert not core.expectations.add_at_port(announced(master(OTHER), 65535), 0, core.rng)


def test_what_was_announced_by_an_unconfirmed_connection_is_not_expected() -> None:
    core = Conntrack(Sysctls(), random.Random(1))
    conn = master(CLIENT)
    conn.status = 0
    core.expectations.add(announced(conn, 5000), 0)
    assert core.expectations.take(Tuple(4, SERVER, OUTSIDE, 6, 20, 5000), 0) is None


@pytest.mark.parametrize(
    ("helper", "packet", "payload", "verdict"),
    [
        ("RAS", "udp 10.8.0.11:1719 > 203.0.113.7:1719", b"", Verdict.ACCEPT),
        ("RAS", "udp 10.8.0.11:1719 > 203.0.113.7:1719", b"\x0e\x80", Verdict.UNKNOWN),
    ],
)
def test_what_a_helper_would_act_on_is_unknown(helper: str, packet: str, payload: bytes, verdict: Verdict) -> None:
    core = Conntrack(Sysctls(), random.Random(1))
    plain = Packet.parse(packet)
    data = bytes(plain.data[:28]) + payload
    pkt = Packet(
        data[:2] + len(data).to_bytes(2, "big") + data[4:24] + (8 + len(payload)).to_bytes(2, "big") + data[26:]
    )
    pkt.ctinfo = t.NEW
    key = Tuple(4, pkt.src, pkt.dst, 17, 5060, 5060)
    conn = Conn([key, key.inverse()], helper=helper)
    assert unknown.help_packet(core, conn, pkt, None) is verdict  # type: ignore[arg-type]  # no helper looks at it
