"""A host for people who gave none: where the packet goes, and what is said to be assumed."""

from __future__ import annotations

import pytest

from iptables_emu import Emulator, Packet, Ruleset
from iptables_emu.trace.events import HookEntered, PacketStart

ROUTER = """\
*nat
-A PREROUTING -i ppp0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.1.10:80
-A POSTROUTING -o ppp0 -j MASQUERADE
COMMIT
*filter
:FORWARD DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -i br-lan -j ACCEPT
-A INPUT -i br-lan -j ACCEPT
-A FORWARD -i br-lan -o ppp0 -j ACCEPT
-A FORWARD -i ppp0 -o br-lan -m conntrack --ctstate DNAT -j ACCEPT
COMMIT
"""
IN, OUT, FORWARD = ["PREROUTING", "INPUT"], ["OUTPUT", "POSTROUTING"], ["PREROUTING", "FORWARD", "POSTROUTING"]

# packet, its hooks, the start of its ending, an assumption that is told
CASES = [
    ("tcp 9.9.9.9:1 > 1.2.3.4:22 in ppp0", IN, "delivered to this host", "1.2.3.4 is this host's, on ppp0"),
    ("tcp 192.168.1.5:1 > 1.2.3.4:22 in br-lan out ppp0", FORWARD, "forwarded out ppp0 as 198.51.100.1:1",
     "forwarded from br-lan to ppp0"),
    ("tcp 192.168.1.5:1 > 1.2.3.4:22 in br-lan out br-lan", FORWARD[:2], "by the policy of filter FORWARD",
     "forwarded from br-lan to br-lan"),
    ("tcp 9.9.9.9:1 > 1.2.3.4:8080 in ppp0", FORWARD, "forwarded out br-lan as 9.9.9.9:1 > 192.168.1.10:80",
     "everything else is reached out of br-lan"),
    ("tcp 1.1.1.1:1 > 1.2.3.4:22 out ppp0", OUT, "sent out ppp0", "1.1.1.1 is this host's, on ppp0"),
    ("udp > 1.2.3.4:53 from host", OUT, "sent out ppp0", "made on this host, leaving by ppp0"),
    ("tcp 9.9.9.9:1 > 1.2.3.4:22", IN, "delivered to this host", "came in by br-lan, for this host"),
    ("tcp 9.9.9.9:1 > 1.2.3.4:22 in wlan0", IN, "delivered to this host", "1.2.3.4 is this host's, on wlan0"),
    ("tcp in lo", OUT, "delivered to this host as 127.0.0.1:40000 > 127.0.0.1:80", "for the host itself, over lo"),
    ("tcp > 10.0.0.1:80 in lo", OUT, "delivered to this host as 10.0.0.1", "10.0.0.1 is this host's"),
    ("tcp > 127.0.0.1:80", OUT, "delivered to this host as 127.0.0.1", "made on this host"),
    ("udp 0.0.0.0:68 > 255.255.255.255:67 in br-lan", IN, "delivered to this host", "came in by br-lan"),
    ("udp 1.2.3.4:5353 > 224.0.0.251:5353 in br-lan", ["PREROUTING"], "by the kernel after PREROUTING", "br-lan"),
    ("tcp 127.0.0.1:1 > 1.2.3.4:22 in ppp0", ["PREROUTING"], "by the kernel after PREROUTING: martian source", "ppp0"),
    # its made-up addresses are none that the packet has
    ("tcp 198.51.100.1:1 > 203.0.113.1:22 in ppp0", IN, "delivered to this host", "br-lan has the address 192.0.2.1"),
    ("tcp [fd00::1]:1 > [fd00::2]:22 in ppp0", IN, "delivered to this host", "fd00::2 is this host's, on ppp0"),
    ("tcp in lo [::1]:1 > [::1]:22", OUT, "delivered to this host as [::1]:1", "over lo"),
]  # fmt: skip


@pytest.mark.parametrize(("packet", "hooks", "ending", "note"), CASES)
def test_inferred(packet: str, hooks: list[str], ending: str, note: str) -> None:
    emulator = Emulator(Ruleset.loads(ROUTER))
    trace = emulator.send(Packet.parse(packet))
    assert [e.hook for e in trace.events if isinstance(e, HookEntered) and e.packet == 1] == hooks
    assert trace.ending.text.startswith(ending)
    assert note in "; ".join(emulator.notes)


def test_no_interface_said_is_the_one_told() -> None:
    emulator = Emulator(Ruleset())
    trace = emulator.send(Packet.parse("udp 0.0.0.0:68 > 255.255.255.255:67"))
    start = next(e for e in trace.events if isinstance(e, PacketStart))
    assert f"came in by {start.iif}, for this host" in emulator.notes
