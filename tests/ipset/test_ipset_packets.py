"""The set match and the SET target: each line of ``packets.cases``, and what they leave behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptables_emu.emulator import Emulator
from iptables_emu.host.host import Host
from iptables_emu.packet.packet import Packet
from iptables_emu.text.load import load_dump
from iptables_emu.trace.events import Fate, Rewritten

HOST = {
    "interfaces": {"eth0": {"addresses": ["10.0.0.1/24"]}, "eth1": {"addresses": ["198.51.100.1/24"]}},
    "routes": [{"dst": "0.0.0.0/0", "via": "198.51.100.2", "dev": "eth1"}],
    "sysctls": {"net.ipv4.ip_forward": 1},
}

ROWS = (Path(__file__).parent / "packets.cases").read_text().splitlines()
CASES = [row for row in ROWS if row and row[0] != "#"]


def send(sets: str, rules: str, packets: str, table: str = "filter") -> tuple[list[object], Host]:
    """Events of the last packet, and the host."""
    host = Host.from_dict({**HOST, "ipsets": sets.replace(";", "\n") + "\n"})
    lines = [f"-A FORWARD {rule.strip()}" for rule in rules.split(";")]
    dump = "\n".join([f"*{table}", ":FORWARD ACCEPT", *lines, "COMMIT", ""])
    emulator = Emulator(load_dump(dump, assume_sets=True), host, now=1_700_000_000)
    events: list[object] = []
    for text in packets.split(";"):
        events = list(emulator.send(Packet.parse(f"{text.strip()} in eth0")).events)
    return events, host


@pytest.mark.parametrize("line", CASES)
def test_a_packet_and_a_set(line: str) -> None:
    sets, rules, packets, fate = (part.strip() for part in line.split("|"))
    events, _ = send(sets, rules, packets)
    assert [event.fate for event in events if isinstance(event, Fate)] == [fate]


def test_an_unknown_set_is_not_guessed() -> None:
    events, _ = send("create b hash:ip", "-m set --match-set a src -j DROP", "udp 10.0.0.5:9 > 1.2.3.4:53")
    assert [event.fate for event in events if isinstance(event, Fate)] == ["unknown"]


@pytest.mark.parametrize(
    ("element", "options", "rewritten"),
    [
        ("10.0.0.5 skbmark 0x5", "--map-mark", [("mark", "0x0", "0x5")]),
        ("10.0.0.5 skbmark 0x5/0x0", "--map-mark", [("mark", "0x0", "0x5")]),
        ("10.0.0.5 skbprio 1:2", "--map-prio", [("priority", "0x0", "0x10002")]),
        ("10.0.0.6 skbmark 0x5", "--map-mark", []),
        ("10.0.0.5", "--map-mark", []),
    ],
)
def test_a_set_gives_marks(element: str, options: str, rewritten: list[tuple[str, str, str]]) -> None:
    events, _ = send(
        f"create a hash:ip skbinfo; add a {element}",
        f"-j SET --map-set a src {options}",
        "udp 10.0.0.5:9 > 1.2.3.4:53",
        "mangle",
    )
    told = [(e.what, e.before, e.after) for e in events if isinstance(e, Rewritten) and e.what in ("mark", "priority")]
    assert told == rewritten


def test_timeouts_and_counters_of_what_is_added() -> None:
    rules = "-j SET --add-set a src --exist --timeout 60"
    _, host = send("create a hash:ip timeout 5 counters", rules, "udp 10.0.0.5:9 > 1.2.3.4:53")
    (entry,) = host.ipsets.get("a").entries(host.ipsets.tick)
    assert (entry.left(host.ipsets.tick), entry.packets) == (60, 1)
