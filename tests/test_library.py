"""The library's door: Ruleset, Host, Packet, Emulator."""

from __future__ import annotations

import subprocess
import sys

import pytest

import iptables_emu
from iptables_emu import Emulator, Host, Packet, Ruleset
from iptables_emu.host.host import HostError
from iptables_emu.packet.spec import PacketError
from iptables_emu.text.load import LoadError

DUMP = """\
*filter
:INPUT DROP [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p tcp -m tcp --dport 80 -m limit --limit 1/min --limit-burst 1 -j ACCEPT
COMMIT
"""
SYN = "tcp 10.0.0.5:4000 > 1.2.3.4:80 in eth0 syn"


def test_the_readme_example() -> None:
    ruleset = Ruleset.loads(DUMP)
    trace = Emulator(ruleset, Host()).send(Packet.parse(SYN))
    assert (trace.verdict, trace.passed, trace.exit_status) == ("ACCEPT", True, 0)
    assert trace.text().endswith("ACCEPT  delivered to this host as 10.0.0.5:4000 > 1.2.3.4:80 tcp\n")


def test_dumps_is_what_was_loaded() -> None:
    assert Ruleset.loads(DUMP).dumps() == DUMP


def test_state_lasts_and_time_is_virtual() -> None:
    emulator = Emulator(Ruleset.loads(DUMP), Host(), seed=0, now=1_700_000_000)
    ports = (4000, 4001)
    packets = [Packet.parse(f"tcp 10.0.0.5:{port} > 1.2.3.4:80 in eth0 syn") for port in ports]
    assert [emulator.send(packet).verdict for packet in packets] == ["ACCEPT", "DROP"]
    emulator.sleep(60)
    assert emulator.send(packets[1]).verdict == "ACCEPT"


def test_a_packet_object_can_be_sent_again() -> None:
    packet = Packet.parse("tcp 10.0.0.5:4000 > 1.2.3.4:22 syn")
    emulator = Emulator(Ruleset.loads(DUMP))
    texts = {emulator.send(packet).ending.text for _ in range(3)}
    assert texts == {"by the policy of filter INPUT"}
    assert (packet.iif, packet.socket) == ("", False)


def test_runs_repeat_to_the_byte() -> None:
    def run() -> str:
        rules = "*nat\n-A POSTROUTING -j MASQUERADE --random\nCOMMIT\n"
        emulator = Emulator(Ruleset.loads(rules), seed=7, now=5)
        return emulator.send(Packet.parse("tcp 10.0.0.5:4000 > 1.2.3.4:80 in eth0 out eth1")).text()

    assert run() == run()


def test_more_packets_than_the_first_find_their_way() -> None:
    emulator = Emulator(Ruleset())
    for text in (SYN, "udp 10.9.9.9:1 > 1.2.3.4:53", "tcp 10.0.0.5:4000 > 1.2.3.4:80 in wlan7", "-o eth0 -d 9.9.9.9"):
        assert emulator.send(Packet.parse(text)).passed


def test_unseen_packets_are_told() -> None:
    host = Host.from_dict({"interfaces": {"eth0": {"addresses": ["10.0.0.1/24"]}, "eth1": {"down": True}}})
    cases = [("-6 -i eth0", "by the kernel: the host has no IPv6"), ("-i eth1", "by the kernel: eth1 is down"),
             ("-o eth0 -s 10.0.0.1 -d 9.9.9.9", "by the kernel: Network is unreachable")]  # fmt: skip
    for packet, told in cases:
        trace = Emulator(Ruleset(), host).send(Packet.parse(packet))
        assert (trace.verdict, trace.ending.text[: len(told)]) == ("DROP", told)


def test_sets_that_nobody_has_described() -> None:
    text = "*filter\n-A INPUT -m set --match-set friends src -j ACCEPT\nCOMMIT\n"
    with pytest.raises(LoadError, match="Set friends doesn't exist"):
        Ruleset.loads(text)
    trace = Emulator(Ruleset.loads(text, assume_sets=True)).send(Packet.parse(SYN))
    assert (trace.verdict, trace.exit_status) == ("UNKNOWN", 20)


def test_a_storm_of_copies_ends() -> None:
    copies = "".join(f"-A INPUT -j TEE --gateway 10.0.0.{n}\n" for n in (1, 2))
    # a changed mark has each copy routed anew: back to this host, where it is copied again
    rules = f"*mangle\n-A INPUT -j MARK --set-mark 3\n{copies}-A OUTPUT -j MARK --set-mark 1\nCOMMIT\n"
    trace = Emulator(Ruleset.loads(rules)).send(Packet.parse(SYN))
    assert "packets came of this one: it goes on, the trace does not" in trace.text()
    assert len(trace.text().splitlines()) < 10_000


def test_bad_input_has_its_exceptions() -> None:
    with pytest.raises(LoadError, match="does not exist"):
        Ruleset.loads("*filter\n-A INPUT -j NOPE\nCOMMIT\n")
    with pytest.raises(PacketError, match="column 5"):
        Packet.parse("tcp 1.2.3 > 1.2.3.4")
    with pytest.raises(HostError, match="no interface wlan0; it has lo, eth0"):
        Emulator(Ruleset(), Host.from_dict({"interfaces": {"eth0": {}}})).send(Packet.parse("-i wlan0"))
    with pytest.raises(AttributeError):
        iptables_emu.Nothing  # noqa: B018


def test_import_is_lazy() -> None:
    code = "import sys, iptables_emu; print(sum(name.startswith('iptables_emu') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "1\n"
