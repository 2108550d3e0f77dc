"""What the kernel runner sees of known traffic, with both backends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from iptables_emu.scenario.format import check_scenario
from iptables_emu.scenario.kernel.namespace import NAMED, PREFIX
from iptables_emu.scenario.kernel.process import KernelError
from iptables_emu.scenario.kernel.runner import KernelRunner

pytestmark = pytest.mark.kernel

HOST: dict[str, Any] = {
    "interfaces": {"eth0": {"addresses": ["192.0.2.1/24"]}, "eth1": {"addresses": ["10.8.0.1/24"]}},
    "sysctls": {"net.ipv4.ip_forward": 1},
}
SYN: dict[str, Any] = {"src": "10.8.0.9", "dst": "192.0.2.7", "sport": 4000, "dport": 80}
BACKENDS = pytest.mark.parametrize("backend", ["nft", "legacy"])


def run(runner: KernelRunner, backend: str, rules: list[str], *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    scenario = {"host": HOST, "backend": backend, "rulesets": {"ipv4": rules}, "steps": list(steps), **more}
    return runner.run(check_scenario(scenario, "test"))


def inject(iface: str = "eth1", **packet: Any) -> dict[str, Any]:
    return {"inject": {"iface": iface, "packet": {**SYN, **packet}}}


@BACKENDS
def test_forwarded_and_translated(runner: KernelRunner, backend: str) -> None:
    rules = ["*nat", ":POSTROUTING ACCEPT", "-A POSTROUTING -o eth0 -j SNAT --to-source 192.0.2.1", "COMMIT"]
    seen = run(runner, backend, rules, inject(), inject(iface="eth0", src="192.0.2.7", dst="192.0.2.1", sport=80,
                                                        dport=4000, flags="SA", ack=1001))  # fmt: skip
    assert seen["load"] == {"rc": 0, "stderr": ""}
    assert "[1:40] -A POSTROUTING -o eth0 -j SNAT --to-source 192.0.2.1\n" in seen["save"]
    first, second = seen["steps"]
    assert [(p["path"], p["fate"]) for p in first["packets"]] == [(["PREROUTING", "FORWARD", "POSTROUTING"], "sent")]
    event = first["trace"][-1]["events"][-1]
    assert (event["chain"], event["kind"], event["index"], event["verdict"]) == ("POSTROUTING", "rule", 1, "accept")
    assert first["emitted"][0]["iface"] == "eth0"
    assert first["emitted"][0]["summary"] == "192.0.2.1:4000 > 192.0.2.7:80 tcp S seq 1000 ttl 63 id 1"
    assert [w["point"] for w in first["waypoints"]] == ["PREROUTING:start", "FORWARD:end", "POSTROUTING:end"]
    assert "SYN_SENT src=10.8.0.9 dst=192.0.2.7" in first["conntrack"][0]
    assert second["emitted"][0]["summary"] == "192.0.2.7:80 > 10.8.0.9:4000 tcp SA seq 1000 ttl 63 id 1"
    assert not [t for t in second["trace"] if t["table"] == "nat"]


@BACKENDS
def test_rejected_with_an_answer(runner: KernelRunner, backend: str) -> None:
    rules = [
        "*filter",
        ":INPUT ACCEPT",
        ":OUTPUT ACCEPT",
        "-A INPUT -p tcp -j REJECT --reject-with tcp-reset",
        "COMMIT",
    ]
    (step,) = run(runner, backend, rules, inject(dst="10.8.0.1"))["steps"]
    assert [p["fate"] for p in step["packets"]] == ["dropped in filter INPUT", "sent"]
    assert step["packets"][1]["path"] == ["OUTPUT", "POSTROUTING"]
    assert step["emitted"][0]["summary"].startswith("10.8.0.1:80 > 10.8.0.9:4000 tcp RA seq 0")


@BACKENDS
def test_chains_and_ends_of_chains(runner: KernelRunner, backend: str) -> None:
    rules = ["*filter", ":INPUT DROP", ":deep - [0:0]", "-A INPUT -j deep", "-A deep -p udp -j ACCEPT", "COMMIT"]
    (step,) = run(runner, backend, rules, inject(dst="10.8.0.1"))["steps"]
    (traversal,) = step["trace"]
    events = [(e["chain"], e["kind"], e["index"], e["verdict"]) for e in traversal["events"]]
    assert events == [
        ("INPUT", "rule", 1, "jump:deep"),
        ("deep", "return", None, "return"),
        ("INPUT", "policy", None, "drop"),
    ]
    assert step["packets"][0]["fate"] == "dropped in filter INPUT" and step["delivered_locally"] is False


@BACKENDS
def test_logged(runner: KernelRunner, backend: str) -> None:
    rules = ["*filter", ":INPUT ACCEPT", '-A INPUT -j LOG --log-prefix "hello "', "COMMIT"]
    (step,) = run(runner, backend, rules, inject(dst="10.8.0.1", proto="icmp"))["steps"]
    (line,) = step["log"]
    assert "hello IN=eth1 OUT= " in line and "SRC=10.8.0.9 DST=10.8.0.1" in line
    assert [p["fate"] for p in step["packets"]] == ["delivered", "sent"]


@BACKENDS
def test_refused_ruleset(runner: KernelRunner, backend: str) -> None:
    seen = run(runner, backend, ["*filter", "-A INPUT -j MASQUERADE", "COMMIT"], inject())
    assert seen["load"]["rc"] and seen["load"]["stderr"] and seen["steps"] == []


@BACKENDS
def test_packet_of_a_user_with_a_mark(runner: KernelRunner, backend: str) -> None:
    rules = ["*filter", ":OUTPUT ACCEPT", "-A OUTPUT -m owner --uid-owner 1000 -m mark --mark 7 -j DROP", "COMMIT"]
    local = {"packet": {**SYN, "src": "10.8.0.1", "dst": "10.8.0.9"}, "mark": 7}
    steps = ({"send_local": {**local, "uid": 1000}}, {"send_local": local})
    seen = run(runner, backend, rules, *steps)
    assert [step["packets"][0]["fate"] for step in seen["steps"]] == ["dropped in filter OUTPUT", "sent"]


@BACKENDS
def test_steps_that_change_the_host(runner: KernelRunner, backend: str) -> None:
    seen = run(
        runner, backend, ["*filter", ":FORWARD ACCEPT", "COMMIT"],
        inject(), {"iptables": "-A FORWARD -j DROP"}, inject(), {"sysctl": {"net.ipv4.ip_forward": 0}}, inject(),
        {"iptables": "-A NOWHERE -j DROP"},
    )  # fmt: skip
    fates = [step["packets"][0]["fate"] for step in seen["steps"] if step["packets"]]
    assert fates == ["sent", "dropped in filter FORWARD", "dropped by the kernel after PREROUTING"]
    assert "No chain/target/match by that name" in seen["steps"][-1]["note"]


def test_a_reused_host_is_as_good_as_new(runner: KernelRunner) -> None:
    rules = ["*filter", ":INPUT ACCEPT", "-A INPUT -m conntrack --ctstate NEW", "COMMIT"]
    first, second = (run(runner, "nft", rules, inject(dst="10.8.0.1", proto="icmp")) for _ in range(2))
    assert first["save"] == second["save"]
    assert len(first["steps"][0]["conntrack"]) == len(second["steps"][0]["conntrack"]) == 1


def test_a_host_that_cannot_be(runner: KernelRunner) -> None:
    with pytest.raises(KernelError, match="Nexthop has invalid gateway"):
        runner.run({"host": {**HOST, "routes": [{"dst": "default", "via": "203.0.113.1", "dev": "eth0"}]}})
    with pytest.raises(KernelError, match=r"sysctl net\.ipv4\.nonsense=1"):
        runner.run({"host": {**HOST, "sysctls": {"net.ipv4.nonsense": 1}}})


def test_nothing_is_left_after_a_kill(runner: KernelRunner, tmp_path: Path) -> None:
    script = (
        "import sys, io\nfrom iptables_emu.scenario.run_command import run_scenarios\n"
        "run_scenarios(['-'], 'kernel', 'json', sys.stdin, sys.stdout, sys.stderr)\n"
    )

    def started() -> subprocess.Popen[bytes]:
        child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert child.stdin
        child.stdin.write(json.dumps({"host": HOST, "steps": [{"sleep": 60}]}).encode())
        child.stdin.close()
        for _ in range(200):
            if len(names(child.pid)) == 2:
                break
            time.sleep(0.05)
        time.sleep(0.3)
        return child

    def names(pid: int) -> list[str]:
        return [path.name for path in NAMED.glob(f"{PREFIX}-{pid}-*") if "probe" not in path.name]

    child = started()
    assert names(child.pid)
    child.terminate()
    assert child.wait(10) == 128 + signal.SIGTERM
    assert not names(child.pid)
    child = started()
    os.kill(child.pid, signal.SIGKILL)
    child.wait(10)
    assert names(child.pid)
    with KernelRunner():
        assert not names(child.pid)
