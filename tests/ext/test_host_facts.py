"""What matches and targets make of what the host file says; what it does not say is unknown, with what is missing.

For IPsec, IPVS, LED and CLUSTERIP, which not every kernel has, the documentation is all there is to test against
(man iptables-extensions).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from iptables_emu import Emulator, Host, Packet
from iptables_emu.host.load import load_host
from iptables_emu.text.load import load_dump
from iptables_emu.trace.events import Logged, Noted, Recorded, Rewritten, RuleHit
from iptables_emu.trace.trace import Trace

HOST = """
[interfaces.eth0]
addresses = ["192.168.5.3/24"]
[interfaces.eth1]
addresses = ["10.8.0.1/24"]
[[routes]]
dst = "default"
via = "192.168.5.1"
[sysctls]
net.ipv4.ip_forward = 1
"""
IN = "udp 9.9.9.9:1 > 192.168.5.3:53 in eth0"
ON = "udp 10.8.0.9:1 > 9.9.9.9:53 in eth1"
OUT = "udp 192.168.5.3:5000 > 9.9.9.9:53 out eth0"


def host_of(tmp_path: Path, more: str = "") -> Host:
    """The host above, with more keys before it."""
    path = tmp_path / "host.toml"
    path.write_text(f"{more}\n{HOST}")
    return load_host(str(path))


def send(host: Host, rules: str, *packets: str) -> list[Trace]:
    """The traces of packets; the rules stand in the table filter if they do not name one."""
    text = rules if rules[0] == "*" else f"*filter\n{rules}\nCOMMIT\n"
    emulator = Emulator(load_dump(text, 4, "nft", assume_sets=True), host, now=1_700_000_000)
    return [emulator.send(Packet.parse(packet)) for packet in packets]


def hits(trace: Trace) -> list[int]:
    """The rules that matched, by their numbers."""
    return [event.index for event in trace.events if isinstance(event, RuleHit) and event.verdict != "unknown"]


def told(trace: Trace, kind: type[Logged] | type[Recorded] | type[Noted]) -> list[str]:
    return [
        getattr(event, "line", None) or getattr(event, "text", "") for event in trace.events if isinstance(event, kind)
    ]


UNKNOWN = [
    ("-A INPUT -m cpu --cpu 0", "say which processor handles the packets, as cpu = 0 of the host"),
    ("-A INPUT -m socket", "give the host's [[sockets]], with proto, port and address"),
    (
        "-A INPUT -m nfacct --nfacct-name a",
        "give the object as [nfacct.NAME] of the host, with its packets, bytes and quota",
    ),
    ("-A INPUT -m cgroup --cgroup 1", "give the socket as one of the host's [[sockets]], with its classid or cgroup"),
]


@pytest.mark.parametrize(("rule", "missing"), UNKNOWN)
def test_unknown_says_what_is_missing(tmp_path: Path, rule: str, missing: str) -> None:
    (trace,) = send(host_of(tmp_path), rule, IN)
    assert trace.verdict == "UNKNOWN"
    assert any(missing in note for note in told(trace, Noted))


def test_osf_says_how_to_name_the_file(tmp_path: Path) -> None:
    (trace,) = send(
        host_of(tmp_path), "-A INPUT -p tcp -m osf --genre Linux", "tcp 9.9.9.9:1 > 192.168.5.3:80 in eth0 syn"
    )
    assert any('osf_file = "pf.os"' in note for note in told(trace, Noted))


def test_queue_by_processor_is_unknown_where_it_matters(tmp_path: Path) -> None:
    rule = "-A INPUT -j NFQUEUE --queue-balance 1:2 --queue-cpu-fanout"
    same = send(host_of(tmp_path, 'queue = {1 = "accept", 2 = "accept"}'), rule, IN)
    other = send(host_of(tmp_path, 'queue = {1 = "accept", 2 = "drop"}'), rule, IN)
    said = send(host_of(tmp_path, 'cpu = 3\nqueue = {1 = "accept", 2 = "drop"}'), rule, IN)
    assert [trace.verdict for trace in (*same, *other, *said)] == ["ACCEPT", "UNKNOWN", "DROP"]


def test_a_listener_that_repeats_for_ever_is_unknown(tmp_path: Path) -> None:
    (trace,) = send(host_of(tmp_path, 'queue = {0 = "repeat"}'), "-A INPUT -j NFQUEUE", IN)
    assert trace.verdict == "UNKNOWN"


IPSEC = """ipsec = [
  {dir = "in", src = "10.8.0.0/16", states = [
    {proto = "esp", mode = "tunnel", spi = 256, reqid = 1, tunnel_src = "1.1.1.1", tunnel_dst = "2.2.2.2"},
    {proto = "ah", spi = 512, reqid = 2}]},
  {dir = "out", dst = "9.9.9.9", proto = "udp", states = [{proto = "ah", reqid = 3}, {reqid = 4}]},
]"""
# of a packet's states --dir in counts the last one undone first, --dir out the first one done
POLICIES = [
    ("--dir in --pol ipsec", True),
    ("--dir in --pol none", False),
    ("--dir out --pol ipsec --reqid 4", True),
    ("--dir out --pol ipsec --reqid 5", False),
    ("--dir in --pol ipsec --spi 0x100 --proto esp --mode tunnel", True),
    ("--dir in --pol ipsec --spi 0x100 --proto ah", False),
    ("--dir in --pol ipsec ! --spi 0x100", True),
    ("--dir in --pol ipsec --mode tunnel --tunnel-src 1.1.0.0/16 --tunnel-dst 2.2.2.2", True),
    ("--dir in --pol ipsec --mode tunnel ! --tunnel-src 1.1.0.0/16", False),
    ("--dir in --pol ipsec --strict --spi 0x200 --next --spi 0x100", True),
    ("--dir in --pol ipsec --strict --spi 0x100 --next --spi 0x200", False),
    ("--dir in --pol ipsec --strict --spi 0x200", False),
    ("--dir out --pol ipsec --strict --proto ah --next --proto esp --reqid 4", True),
]


@pytest.mark.parametrize(("policy", "wanted"), POLICIES)
def test_policy(tmp_path: Path, policy: str, wanted: bool) -> None:
    (trace,) = send(host_of(tmp_path, IPSEC), f"-A FORWARD -m policy {policy}", ON)
    assert bool(hits(trace)) is wanted


def test_policy_of_others(tmp_path: Path) -> None:
    rules = "-A INPUT -m policy --dir in --pol none\n-A INPUT -m policy --dir in --pol ipsec"
    assert hits(send(host_of(tmp_path, IPSEC), rules, IN)[0]) == [1]


def test_what_ipsec_sends_is_not_shown(tmp_path: Path) -> None:
    (trace,) = send(host_of(tmp_path, IPSEC), "-A FORWARD -j ACCEPT", ON)
    assert (trace.verdict, trace.emitted) == ("ACCEPT", ())
    assert "sent out eth0 by AH and ESP: its way through OUTPUT as such is not shown" in trace.text()


IPVS = """[[ipvs]]
proto = "udp"
vaddr = "9.9.9.9"
vport = 53
method = "MASQ"
client = "10.8.0.9"
real = "10.9.0.1"
control_port = 21
"""
SERVICES = [
    ("--ipvs", True), ("! --ipvs", False), ("--vaddr 9.9.0.0/16", True), ("--vaddr 9.8.0.0/16", False),
    ("--vport 53", True),
    ("! --vport 53", False), ("--vproto tcp", False), ("--vmethod MASQ", True), ("! --vmethod GATE", True),
    ("--vportctl 21", True), ("--vdir ORIGINAL", True), ("--vdir REPLY", False), ("--vport 53 --vmethod IPIP", False),
]  # fmt: skip


@pytest.mark.parametrize(("service", "wanted"), SERVICES)
def test_ipvs(tmp_path: Path, service: str, wanted: bool) -> None:
    rules = f"-A FORWARD -m ipvs {service}\n-A FORWARD -m conntrack --ctstate ESTABLISHED"
    (trace,) = send(host_of(tmp_path, IPVS), rules, ON)
    assert (1 in hits(trace)) is wanted


def test_ipvs_of_others(tmp_path: Path) -> None:
    rules = "-A FORWARD -m ipvs --ipvs\n-A FORWARD -m ipvs ! --ipvs\n-A FORWARD -m ipvs ! --vport 80"
    assert hits(send(host_of(tmp_path, IPVS), rules, ON.replace("10.8.0.9", "10.8.0.8"))[0]) == [2]


def test_ipvs_takes_what_is_for_its_service(tmp_path: Path) -> None:
    local = IPVS.replace('"9.9.9.9"', '"10.8.0.1"')
    (trace,) = send(host_of(tmp_path, local), "-A INPUT -j ACCEPT", "udp 10.8.0.9:1 > 10.8.0.1:53 in eth1")
    assert trace.text().endswith("taken by IPVS (MASQ): its way to the real server is not shown\n")


SOCKETS = """cgroups = ["web"]
sockets = [
  {proto = "udp", port = 5000, address = "192.168.5.3", classid = 0x100001, cgroup = "/web/a", uid = 33},
  {proto = "udp", port = 53, address = "192.168.5.3", peer = "9.9.9.9", peer_port = 1, classid = 7, cgroup = "dns"},
]"""
GROUPS = ["--cgroup 0x100001", "! --cgroup 0x100001", "--path web", "--path web/a", "! --path web/a/", "--path dns",
          "--cgroup 7", "--path /"]  # fmt: skip


@pytest.mark.parametrize(("packet", "wanted"), [(OUT, [1, 3, 4, 8]), (IN, [2, 5, 6, 7, 8]), (ON, [])])
def test_cgroup(tmp_path: Path, packet: str, wanted: list[int]) -> None:
    rules = "\n".join(f"-A {chain} -m cgroup {group}" for chain in ("OUTPUT", "INPUT") for group in GROUPS)
    assert hits(send(host_of(tmp_path, SOCKETS), rules, packet)[0]) == wanted


def test_owner_of_a_socket(tmp_path: Path) -> None:
    rules = "-A OUTPUT -m owner --uid-owner 33\n-A OUTPUT -m owner ! --uid-owner 33"
    assert hits(send(host_of(tmp_path, SOCKETS), rules, OUT)[0]) == [1]


def test_osf_logs(tmp_path: Path) -> None:
    """As the kernel's log showed it, record by record in two lines; level 2 tells of unknown systems, too."""
    lines = "S4:64:1:60:M*,S,T,N,W7:Linux:2.6:.1-7:a\nS4:64:1:60:M*,S,T,N,W7:Other:::b\n"
    (tmp_path / "my.os").write_text(lines)
    host = host_of(tmp_path, 'osf_file = "my.os"')
    rules = "\n".join(f"-A INPUT -p tcp -m osf --genre X --log {level} --ttl 2" for level in (0, 1, 2))
    syn = "tcp 9.9.9.9:1000 > 192.168.5.3:80 in eth0 syn ttl 60"
    packet = Packet.parse(syn)
    options = bytes.fromhex("020405b40402080a000000010000000001030307")
    data = bytearray(packet.data[:40] + options)
    data[6] |= 0x40
    data[2:4], data[32], data[34:36] = (60).to_bytes(2, "big"), 10 << 4, (5840).to_bytes(2, "big")
    packet.data = data
    packet.refresh_ip_checksum()
    emulator = Emulator(load_dump(f"*filter\n{rules}\nCOMMIT\n", 4, "nft"), host)
    trace = emulator.send(packet)
    first, other = (f"{name} : 9.9.9.9:1000 -> 192.168.5.3:80 hops=4" for name in ("Linux [2.6:.1-7]", "Other [:]"))
    logged = told(trace, Logged)
    assert logged[::2] == [first, other, first, first, other]
    assert logged[1].startswith("IN=eth0 OUT= MAC=") and "OPT (020405B40402080A000000010000000001030307)" in logged[1]
    assert hits(trace) == [1, 2, 3]
    assert (
        told(emulator.send(Packet.parse(syn)), Logged)[::2]
        == ["Remote OS is not known: 9.9.9.9:1000 -> 192.168.5.3:80"] * 3
    )


def test_records(tmp_path: Path) -> None:
    """AUDIT's record as the kernel wrote it; LED and IDLETIMER by their documentation."""
    rules = "\n".join(f"-A INPUT -j {target}" for target in (
        "AUDIT --type drop", "LED --led-trigger-id ssh --led-delay 500", "LED --led-trigger-id ssh",
        "LED --led-trigger-id x --led-delay inf",
        "IDLETIMER --timeout 600 --label wlan",
    ))  # fmt: skip
    leds = [
        "LED netfilter-ssh: on, for 500 ms",
        "LED netfilter-ssh: on, and off at once",
        "LED netfilter-x: on, for ever",
    ]
    timer = "IDLETIMER wlan: 600 seconds left, from now"
    assert told(send(host_of(tmp_path), rules, IN)[0], Recorded) == [*leds, timer]
    record = "audit: type=1324 audit(1700000000.000:1): mark=0x0 saddr=9.9.9.9 daddr=192.168.5.3 proto=17"
    assert told(send(host_of(tmp_path, "audit = true"), rules, IN)[0], Recorded) == [record, *leds, timer]


def test_security_marks(tmp_path: Path) -> None:
    rules = """*mangle
-A FORWARD -p udp --dport 53 -j SECMARK --selctx system_u:object_r:dns_t:s0
-A FORWARD -j CONNSECMARK --save
-A FORWARD -j CONNSECMARK --restore
COMMIT
"""
    first, reply = send(host_of(tmp_path), rules, ON, "udp 9.9.9.9:53 > 10.8.0.9:1 in eth0")
    label = "system_u:object_r:dns_t:s0"
    changes = [
        [(e.what, e.before, e.after) for e in trace.events if isinstance(e, Rewritten)] for trace in (first, reply)
    ]
    assert changes == [
        [("secmark", "none", label), ("connection secmark", "none", label)],
        [("secmark", "none", label)],
    ]


def test_clusterip_takes_each_packet_at_one_node(tmp_path: Path) -> None:
    answers = []
    for node in (1, 2, 3):
        cluster = (
            f"--new --hashmode sourceip-sourceport --clustermac 01:00:5e:00:00:01 --total-nodes 3 --local-node {node}"
        )
        rule = f"-A INPUT -d 192.168.5.3/32 -i eth0 -j CLUSTERIP {cluster} --hash-init 5"
        packets = [IN.replace(":1 ", f":{port} ") for port in range(1, 41)]
        answers.append([trace.verdict for trace in send(host_of(tmp_path), rule, *packets)])
    taken = [sum(verdict != "DROP" for verdict in column) for column in zip(*answers, strict=True)]
    assert set(taken) == {1}
    assert min(sum(v != "DROP" for v in row) for row in answers) > 3


def test_a_bridge_ports_packet(tmp_path: Path) -> None:
    bridge = 'interfaces.br0 = {type = "bridge", ports = ["p1", "p2"], addresses = ["10.7.0.1/24"]}\n'
    bridge += "interfaces.p1 = {}\ninterfaces.p2 = {}"
    rules = "\n".join(f"-A FORWARD -m physdev {test}" for test in (
        "--physdev-in p1", "--physdev-out p2", "--physdev-is-bridged", "! --physdev-is-bridged"))  # fmt: skip
    bridged, routed = send(
        host_of(tmp_path, bridge), rules, "udp 10.7.0.5:1 > 10.7.0.6:2 in p1", "udp 10.7.0.5:1 > 9.9.9.9:2 in p1"
    )
    assert (hits(bridged), hits(routed)) == ([1, 2, 3], [1, 4])
