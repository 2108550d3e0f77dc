"""Scenarios that are taken, and the one line that says what is wrong with others."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from iptables_emu.scenario.format import ScenarioError, check_scenario, find_files, kernel_refusal, load

HOST: dict[str, Any] = {"interfaces": {"eth0": {"addresses": ["10.0.0.1/24"]}, "d0": {"type": "dummy"}}}
SYN: dict[str, Any] = {"src": "10.0.0.9", "dst": "10.0.0.1", "sport": 1, "dport": 2}


def scenario(**keys: Any) -> dict[str, Any]:
    return {"host": HOST, **keys}


def step(kind: str, value: Any) -> dict[str, Any]:
    return scenario(steps=[{"sleep": 0}, {kind: value}])


def inject(**packet: Any) -> dict[str, Any]:
    return step("inject", {"iface": "eth0", "packet": {**SYN, **packet}})


TAKEN = [
    {},
    scenario(name="x", about=["why"], random=True, expect={"a": 1}, _own=None, nokernel="MIRROR"),
    scenario(backend="legacy", rulesets={"ipv4": "*filter\nCOMMIT\n", "ipv6": ["*filter", "COMMIT"]}),
    scenario(restore_options=["-c"], observe=["save", "expect", "snmp", "conntrack"]),
    {"host": {**HOST, "queue": {"0": "accept", "7": "drop"}}},
    {"host": {**HOST, "routes": [{"dst": "default", "via": "10.0.0.2"}, {"dst": "10.1.0.0/16", "type": "blackhole"}]}},
    {"host": {**HOST, "rules": ["fwmark 7 lookup 100"], "sysctls": {"net.ipv4.ip_forward": 1, "kernel.a": "1 2"}}},
    {"host": {**HOST, "neighbours": [{"dst": "10.0.0.7", "mac": "02:00:00:00:00:07", "dev": "eth0"}]}},
    inject(flags="SA", slice=[0, None], ip_options_hex="94040000", bad_checksum=True),
    inject(proto="icmp", type=3, inner=SYN),
    step("inject", [{"iface": "eth0", "packet_hex": "45"}, {"iface": "eth0", "frame_hex": "00" * 20}]),
    step("send_local", {"packet": SYN, "uid": 1000, "gid": 4, "mark": 7}),
    step("connect", {"proto": "tcp", "dst": "10.0.0.9", "dport": 80}),
    step("listen", {"proto": "udp", "port": 53}),
    step("sysctl", {"net.ipv4.ip_forward": 1}),
    step("ip_addr_change", {"op": "del", "dev": "eth0", "address": "10.0.0.1/24"}),
    step("iptables", "-F"),
    step("ip", "link set eth0 down"),
    step("flush", "conntrack"),
]

# scenario, the message behind the file's name
REFUSED: list[tuple[Any, str]] = [
    (3, "must be an object, not a number"),
    ({"step": []}, "step: unknown key"),
    ({"steps": {}}, "steps: must be a list, not an object"),
    ({"random": "yes"}, "random: must be true or false, not a text"),
    ({"backend": "ebpf"}, "backend: 'ebpf' is not one of nft, legacy"),
    ({"backends": []}, "backends: stands in place of backend, and names one at least"),
    ({"backends": ["nft"], "backend": "nft"}, "backends: stands in place of backend, and names one at least"),
    ({"rulesets": {"ipv5": ""}}, "rulesets.ipv5: unknown key"),
    ({"rulesets": {"ipv4": ["*filter", 1]}}, "rulesets.ipv4[1]: must be a text, not a number"),
    ({"host": {"interfaces": {"a/b": {}}}}, "host.interfaces: 'a/b' is not an interface name"),
    ({"host": {"interfaces": {"sixteen-letters-": {}}}}, "host.interfaces: 'sixteen-letters-' is not"),
    ({"host": {"interfaces": {"e": {"addresses": ["10.0.0.1/33"]}}}},
     "host.interfaces.e.addresses[0]: '10.0.0.1/33' is not an address with a prefix length"),
    ({"host": {"interfaces": {"e": {"mac": "02:00"}}}}, "host.interfaces.e.mac: '02:00' is not a MAC address"),
    ({"host": {"interfaces": {"e": {"type": "bond"}}}},
     "host.interfaces.e.type: 'bond' is not one of veth, dummy, bridge"),
    ({"host": {**HOST, "routes": [{"dst": "10.0.0.1/24"}]}},
     "host.routes[0].dst: '10.0.0.1/24' is not a network (10.0.0.1/24 has host bits set)"),
    ({"host": {**HOST, "routes": [{"dst": "default", "dev": "eth9"}]}}, "host.routes[0].dev: the host has no"),
    ({"host": {**HOST, "queue": {"x": "accept"}}}, "host.queue.x: is not a queue number"),
    ({"host": {**HOST, "queue": {"0": "stolen"}}}, "host.queue.0: 'stolen' is not one of accept, drop, repeat"),
    (step("inject", {"packet": SYN}), "steps[1].inject: iface is missing"),
    (step("inject", {"iface": "eth9", "packet": SYN}), "steps[1].inject.iface: the host has no interface 'eth9'"),
    (step("inject", {"iface": "lo", "packet": SYN}), "steps[1].inject.iface: nothing comes in by lo"),
    (step("inject", {"iface": "d0", "packet": SYN}), "steps[1].inject.iface: 'd0' is a dummy: nothing comes in there"),
    (step("inject", {"iface": "eth0"}), "steps[1].inject: needs exactly one of packet, packet_hex, frame_hex"),
    (step("inject", [{"iface": "eth0", "packet_hex": "4"}]), "steps[1].inject[0].packet_hex: is not hex"),
    (step("teleport", 1), "steps[1]: 'teleport' is not a kind of step "),
    (scenario(steps=[{"sleep": 0, "ip": ""}]), "steps[0]: a step has one key, its kind, not 2"),
    (inject(sport="80"), "steps[1].inject.packet.sport: must be a whole number, not a text"),
    (inject(sport=True), "steps[1].inject.packet.sport: must be a whole number, not true or false"),
    (inject(dport=65536), "steps[1].inject.packet.dport: 65536 is not in 0-65535"),
    (inject(src="10.0.0.300"), "steps[1].inject.packet.src: '10.0.0.300' is not an IP address"),
    (inject(src="::1"), "steps[1].inject.packet: src and dst are of different families"),
    (inject(flags="SX"), "steps[1].inject.packet.flags: 'X' is not one of the flags FSRPAUEC"),
    (inject(sprot=1), "steps[1].inject.packet.sprot: unknown key"),
    (inject(proto="quic"), "steps[1].inject.packet.proto: 'quic' is not one of icmp, "),
    (inject(proto="icmp", inner={"src": "1.1.1.1"}), "steps[1].inject.packet.inner: dst is missing"),
    (inject(slice=[8]), "steps[1].inject.packet.slice: must be [start, size or null]"),
    (inject(ip_options_hex="010101"), "steps[1].inject.packet.ip_options_hex: 3 bytes is not a multiple of 4"),
    (step("send_local", {"packet": {"src": "1.1.1.1", "dst": "2.2.2.2"}}), "steps[1].send_local.packet: sport is"),
    (step("connect", {"proto": "sctp", "dst": "1.1.1.1", "dport": 1}), "steps[1].connect.proto: 'sctp' is not one"),
    (step("sleep", -1), "steps[1].sleep: -1 is no time to wait"),
    (step("flush", "routes"), "steps[1].flush: 'routes' is not one of conntrack"),
]  # fmt: skip


@pytest.mark.parametrize("value", TAKEN)
def test_taken(value: dict[str, Any]) -> None:
    assert check_scenario(value, "f") == value


@pytest.mark.parametrize(("value", "message"), REFUSED)
def test_refused(value: Any, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        check_scenario(value, "f.json")
    assert str(caught.value).startswith(f"f.json: {message}")
    assert "\n" not in str(caught.value)


def test_json_and_toml_are_the_same(tmp_path: Path) -> None:
    value = inject(flags="S")
    (tmp_path / "a.json").write_text(json.dumps(value))
    (tmp_path / "b.toml").write_text(
        '[host.interfaces.eth0]\naddresses = ["10.0.0.1/24"]\n[host.interfaces.d0]\ntype = "dummy"\n'
        '[[steps]]\nsleep = 0\n[[steps]]\ninject = {iface = "eth0", packet = '
        '{src = "10.0.0.9", dst = "10.0.0.1", sport = 1, dport = 2, flags = "S"}}\n'
    )
    files = find_files([str(tmp_path)])
    assert [Path(name).name for name in files] == ["a.json", "b.toml"]
    first, second = (load(name, io.StringIO()).scenarios for name in files)
    assert first == second == [{**value, "backend": "nft"}]


def test_list_of_stdin_stays_a_list() -> None:
    loaded = load("-", io.StringIO("[{}]"))
    assert loaded.is_list and loaded.scenarios == [{"backend": "nft"}]
    with pytest.raises(ScenarioError, match=r"^standard input: line 2: \[1\]\.steps\[0\]: a step has one key"):
        load("-", io.StringIO('[{},\n {"steps": [{}]}]'))


def test_backends_make_several(tmp_path: Path) -> None:
    loaded = load("-", io.StringIO('{"name": "n", "backends": ["nft", "legacy"]}'))
    assert [one["backend"] for one in loaded.scenarios] == ["nft", "legacy"]
    assert loaded.is_list and loaded.label(1) == "n"


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("{", "a.json", "a.json: line 1 column 2: Expecting property name enclosed in double quotes"),
        ("a = ", "a.toml", "a.toml: Invalid value (at end of document)"),
        (None, "a.json", "a.json: No such file or directory"),
    ],
)
def test_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, name: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(name).write_text(content)
    with pytest.raises(ScenarioError) as caught:
        load(name, io.StringIO())
    assert str(caught.value) == message


def test_empty_directory(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="no scenarios"):
        find_files([str(tmp_path)])


def test_not_for_the_kernel() -> None:
    assert kernel_refusal({"nokernel": "MIRROR is gone"}) == "MIRROR is gone"
    assert kernel_refusal({"host": {"queue": {"0": "drop"}}}) is None
    assert kernel_refusal({"host": {"ipvs": [{}]}}) == "host.ipvs: the kernel of this machine is not set up for it"
    assert kernel_refusal({"host": {}}) is None


def test_samples_of_the_project() -> None:
    for name in find_files([str(Path(__file__).parents[2] / "rulesets" / "scenarios")]):
        assert load(name, io.StringIO()).scenarios
