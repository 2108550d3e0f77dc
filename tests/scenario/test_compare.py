"""Differences between observations: what is told, and what may be random."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from iptables_emu.packet.build import build, ethernet
from iptables_emu.packet.describe import describe
from iptables_emu.scenario.compare import differences, normalise

MACS = (b"\2" * 6, b"\4" * 6)
TUPLE = "src={src} dst={dst} sport={sport} dport={dport}"
RULES = "*nat\n[1:40] -A POSTROUTING -j SNAT --to-source 192.0.2.1\nCOMMIT\n"
FLAGGED: dict[str, Any] = {"random": True, "steps": [{"inject": {"iface": "eth1", "packet": {"sport": 4000}}}]}


def emitted(**fields: Any) -> dict[str, Any]:
    packet = build({"src": "192.0.2.1", "dst": "203.0.113.7", "dport": 80, **fields})
    return {"iface": "eth0", "frame_hex": ethernet(packet, *MACS).hex(), "summary": describe(packet)}


def conntrack(port: int, timeout: int = 120) -> str:
    first = TUPLE.format(src="10.0.0.9", dst="203.0.113.7", sport=4000, dport=80)
    reply = TUPLE.format(src="203.0.113.7", dst="192.0.2.1", sport=80, dport=port)
    return f"ipv4     2 tcp      6 {timeout} SYN_SENT {first} [UNREPLIED] {reply} mark=0 use=1"


def observation(port: int = 4000) -> dict[str, Any]:
    """One forwarded SYN, whose source port became ``port``, and the quote of it in an ICMP error."""
    event = {"chain": "POSTROUTING", "kind": "rule", "index": 1, "rule": "-A POSTROUTING", "verdict": "accept"}
    quoted = {"src": "192.0.2.1", "dst": "203.0.113.7", "sport": port, "dport": 80}
    step = {
        "packets": [{"id": 1, "path": ["PREROUTING", "FORWARD", "POSTROUTING"], "fate": "sent", "seen": "it"}],
        "trace": [
            {"packet": 1, "seq": 1, "hook": "POSTROUTING", "table": "nat", "header": "", "packet_hex": "",
             "verdict": "accept", "events": [event]}
        ],
        "waypoints": [],
        "emitted": [emitted(sport=port), emitted(proto="icmp", type=3, inner=quoted)],
        "log": [f"IN=eth1 OUT=eth0 SRC=192.0.2.1 DST=203.0.113.7 LEN=40 ID=1 PROTO=TCP SPT={port} DPT=80 "],
        "conntrack": [conntrack(port)],
    }  # fmt: skip
    return {"load": {"rc": 0, "stderr": ""}, "save": RULES, "steps": [step]}


def test_equal() -> None:
    assert differences(observation(), observation(), {}) == []


Spoil = Callable[[dict[str, Any], dict[str, Any]], Any]
SPOILS: list[tuple[str, Spoil, str]] = [
    ("load", lambda o, s: o["load"].update(rc=2), "load: kernel rc 0; emulator rc 2"),
    ("steps", lambda o, s: o["steps"].clear(), "steps: kernel 1, emulator 0"),
    ("counters", lambda o, s: o.update(save=RULES.replace("[1:40]", "[2:80]")), "save: kernel [1:40] -A POSTROUTING"),
    ("save6", lambda o, s: o.update(save6="*raw\n"), "save6: kernel nothing; emulator *raw"),
    ("fate", lambda o, s: s["packets"][0].update(fate="dropped in nat POSTROUTING"), "step 1 packet 1 fate: kernel se"),
    ("path", lambda o, s: s["packets"][0]["path"].pop(), "step 1 packet 1 path: kernel PREROUTING > FORWARD > POSTR"),
    ("packets", lambda o, s: s["packets"].clear(), "step 1 packet 1: only the kernel has it"),
    ("traversal", lambda o, s: s["trace"].clear(), "step 1 packet 1 nat POSTROUTING: only the kernel goes there"),
    ("rule", lambda o, s: s["trace"][0]["events"][0].update(index=2),
     "step 1 packet 1 nat POSTROUTING event 1: kernel POSTROUTING rule 1 accept; emulator POSTROUTING rule 2 accept"),
    ("event", lambda o, s: s["trace"][0]["events"].clear(),
     "step 1 packet 1 nat POSTROUTING event 1: kernel POSTROUTING rule 1 accept; emulator nothing"),
    ("verdict", lambda o, s: s["trace"][0].update(verdict="drop"), "step 1 packet 1 nat POSTROUTING verdict: "),
    ("link", lambda o, s: s["emitted"][0].update(iface="eth1"), "step 1 emitted 1: kernel eth0 192.0.2.1:4000 > 203."),
    ("ttl", lambda o, s: s["emitted"].__setitem__(0, emitted(sport=4000, ttl=63)), "step 1 emitted 1: kernel eth0 192"),
    ("port", lambda o, s: s["emitted"].__setitem__(0, emitted(sport=4001)), "step 1 emitted 1: kernel eth0 192"),
    ("frames", lambda o, s: s["emitted"].pop(), "step 1 emitted 2: kernel eth0 192.0.2.1 > 203.0.113.7 icmp type 3"),
    ("log", lambda o, s: s.update(log=[]), "step 1 log 1: kernel IN=eth1 OUT=eth0 SRC=192.0.2.1"),
    ("conntrack", lambda o, s: s.update(conntrack=[]), "step 1 conntrack 1: kernel ipv4     2 tcp      6 T SYN_SENT"),
]  # fmt: skip


@pytest.mark.parametrize("scenario", [{}, FLAGGED])
@pytest.mark.parametrize(("spoil", "line"), [pytest.param(*s[1:], id=s[0]) for s in SPOILS])
def test_one_line_for_what_differs(spoil: Spoil, line: str, scenario: dict[str, Any]) -> None:
    spoilt = observation()
    spoil(spoilt, spoilt["steps"][0])
    assert [one[: len(line)] for one in differences(observation(), spoilt, scenario)] == [line]


def test_bytes_are_told() -> None:
    spoilt = observation()
    spoilt["steps"][0]["emitted"][0] = emitted(sport=4000, ttl=63)
    assert differences(observation(), spoilt, {})[0].endswith("bytes from 8: 40 or 3f, 10: 7c or 7d")


# kernel's port, emulator's port, rules, whether they may stand for each other
PORTS = [
    (50001, 50002, "", True),
    (50001, 1023, "", False),
    (513, 1023, "", True),
    (13, 511, "", True),
    (13, 512, "", False),
    (1500, 1999, "-A POSTROUTING -j SNAT --to-source 192.0.2.1:1500-1999", True),
    (600, 1999, "-A POSTROUTING -p tcp -j MASQUERADE --to-ports 600-1999", True),
    (600, 2000, "-A POSTROUTING -p tcp -j MASQUERADE --to-ports 600-1999", False),
    (4000, 50002, "", False),  # the kernel kept the port
    (50001, 4000, "", False),  # only the emulator kept it
]


@pytest.mark.parametrize(("kernel", "emulator", "rule", "may"), PORTS)
def test_random_ports(kernel: int, emulator: int, rule: str, may: bool) -> None:
    written = {"iface": "eth1", "packet": {"src": "10.0.0.9", "dst": "203.0.113.7", "sport": 4000, "dport": 80}}
    scenario = {"rulesets": {"ipv4": [rule]}, "steps": [{"inject": written}]}
    pair = observation(kernel), observation(emulator)
    assert (differences(*pair, {**scenario, "random": True}) == []) == may
    assert len(differences(*pair, scenario)) == 4  # frame, quote, log and conntrack: nothing is random unless flagged


def test_random_port_stays_the_same() -> None:
    other = observation(50002)
    for port in (50001, 50003):
        other["steps"][0]["conntrack"] = [conntrack(port)]
        assert [line[:18] for line in differences(observation(50001), other, FLAGGED)] == ["step 1 conntrack 1"]


def test_random_port_may_be_drawn_again() -> None:
    one, other = observation(50001), observation(50002)
    flush: dict[str, Any] = {"packets": [], "conntrack": []}
    one["steps"] += [flush, observation(50001)["steps"][0]]
    other["steps"] += [flush, observation(50003)["steps"][0]]
    assert differences(one, other, {**FLAGGED, "steps": [{"inject": []}, {"flush": "conntrack"}, {"inject": []}]}) == []
    assert differences(one, other, {**FLAGGED, "steps": [{"inject": []}, {"inject": []}, {"inject": []}]}) != []


def test_checksum_must_fit_the_random_port() -> None:
    other = observation(50002)
    frame = bytearray.fromhex(other["steps"][0]["emitted"][0]["frame_hex"])
    frame[14 + 20 + 17] ^= 1
    other["steps"][0]["emitted"][0]["frame_hex"] = frame.hex()
    assert [line[:16] for line in differences(observation(50001), other, FLAGGED)] == ["step 1 emitted 1"]


def test_random_icmp_id() -> None:
    one, other = observation(), observation()
    one["steps"][0]["emitted"] = [emitted(proto="icmp", ident=7)]
    other["steps"][0]["emitted"] = [emitted(proto="icmp", ident=60007)]
    assert differences(one, other, FLAGGED) == []
    assert len(differences(one, other, {})) == 1


def test_what_two_runs_never_share_is_masked() -> None:
    one, other = observation(), observation()
    for index, each in enumerate((one, other)):
        step = each["steps"][0]
        step["packets"][0]["path"] = ["OUTPUT", "POSTROUTING"]
        step["emitted"] = [emitted(sport=4000, id=100 + index)]
        step["log"] = [line.replace("ID=1 ", f"ID={index} ") for line in step["log"]]
        step["conntrack"] = [conntrack(4000, timeout=119 + index)]
        step["snmp"] = {"IpForwDatagrams": index}
    assert differences(one, other, {}) == []
    assert normalise(one)["steps"][0]["emitted"] == normalise(other)["steps"][0]["emitted"]


def test_normalise_leaves_its_input_alone() -> None:
    one = observation()
    before = copy.deepcopy(one)
    normalise(one)
    assert one == before
