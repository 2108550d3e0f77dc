"""Connections that ``conntrack -I`` made, and packets that meet them: the kernel beside ours."""

from __future__ import annotations

import random
from typing import Any

import pytest

from iptables_emu.scenario.compare import differences
from iptables_emu.scenario.emulate import emulate
from iptables_emu.scenario.kernel.runner import KernelRunner
from tests.conntrack.sequences import TCP_STATES
from tests.kernel.conftest import runner

__all__ = ["runner"]
pytestmark = pytest.mark.kernel

HOST = {"interfaces": {"eth0": {"addresses": ["192.168.5.3/24"]}, "eth1": {"addresses": ["10.8.0.1/24"]}},
        "sysctls": {"net.ipv4.ip_forward": 1}}  # fmt: skip
SEEN = tuple(f"-A FORWARD -m conntrack --ctstate {state}" for state in ("INVALID", "NEW", "ESTABLISHED"))
RULES = ["*filter", ":FORWARD ACCEPT [0:0]", *SEEN, "COMMIT"]
STATUS = ("", " -u SEEN_REPLY", " -u SEEN_REPLY,ASSURED", " -u SEEN_REPLY,ASSURED,FIXED_TIMEOUT", " -u ASSURED")


def packet(rng: random.Random, proto: str) -> dict[str, Any]:
    ends = [("10.8.0.11", 4000), ("192.168.5.9", 80)]
    back = rng.random() < 0.5
    (src, sport), (dst, dport) = reversed(ends) if back else ends
    out: dict[str, Any] = {"src": src, "dst": dst, "proto": proto, "sport": sport, "dport": dport}
    if proto == "tcp":
        flags = rng.choice(("S", "SA", "A", "A", "A", "FA", "RA", "R", "PA"))
        out |= {"flags": flags, "seq": rng.choice((1, 1000, 5000, 4000000000)), "window": rng.choice((0, 100, 65535))}
        if "A" in flags:
            out["ack"] = rng.choice((1, 1000, 2000))
        if "S" not in flags and rng.random() < 0.3:
            out["payload"] = "hello"
    return {"inject": {"iface": "eth0" if back else "eth1", "packet": out}}


def scenario(number: int) -> dict[str, Any]:
    rng = random.Random(number)
    proto = "tcp" if rng.random() < 0.8 else "udp"
    made = f"-I -p {proto} -s 10.8.0.11 -d 192.168.5.9 --sport 4000 --dport 80 -t 500{rng.choice(STATUS)}"
    made += f" --state {rng.choice(TCP_STATES)}" if proto == "tcp" else ""
    return {
        "host": HOST, "backend": "nft", "rulesets": {"ipv4": RULES}, "observe": ["conntrack", "events"],
        "steps": [{"conntrack": made}, *(packet(rng, proto) for _ in range(6))],
    }  # fmt: skip


def test_packets_of_connections_made_by_hand(runner: KernelRunner) -> None:
    for number in range(60):
        one = scenario(number)
        found = differences(runner.run(one), emulate(one), one)
        assert not found, f"scenario {number}\n" + "\n".join(found)
