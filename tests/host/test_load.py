"""Host files: what is wrong is told with the file, the key, and what to write instead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from iptables_emu.host.host import HostError
from iptables_emu.host.load import load_host
from iptables_emu.host.schema import SchemaError
from iptables_emu.model.address import network
from iptables_emu.scenario.format import check_scenario

ETH0 = '[interfaces.eth0]\naddresses = ["10.0.0.1/24"]\n'
ROUTE = f"{ETH0}[[routes]]\n"

BAD = [
    ("x", "Expected '=' after a key in a key/value pair (at end of document)"),
    ("x = 1", "x: unknown key"),
    ("interfaces = 1", "interfaces: must be an object, not a number"),
    ('[interfaces.eth0]\nadress = ["10.0.0.1/24"]', "interfaces.eth0.adress: unknown key"),
    ('[interfaces.eth0]\naddresses = "10.0.0.1/24"', "interfaces.eth0.addresses: must be a list, not a text"),
    ('[interfaces.eth0]\naddresses = ["10.0.0.1/99"]',
     "interfaces.eth0.addresses[0]: '10.0.0.1/99' is not an address with a prefix length"),
    ('[interfaces."a b"]', "interfaces: 'a b' is not an interface name"),
    ("[interfaces.eth0]\nmtu = 0", "interfaces.eth0.mtu: 0 is not in 68-65535"),
    (f'{ROUTE}dst = "0.0.0.0/0"\ndev = "eth9"', "routes[0].dev: the host has no interface 'eth9'; it has eth0, lo"),
    (f'{ROUTE}dst = "0.0.0.0/0"', "routes[0]: dev or via is missing"),
    (f'{ROUTE}dst = "0.0.0.0/0"\nvia = "9.9.9.9"', "routes[0].via: route 0.0.0.0/0: 9.9.9.9 is on no link: say dev"),
    (f'{ROUTE}dst = "::/0"\nvia = "10.0.0.9"\ndev = "eth0"',
     "routes[0].via: 10.0.0.9 is of another family than the route"),
    (f'{ROUTE}dst = "0.0.0.0/0"\nnexthops = []',
     "routes[0].nexthops: stands in place of via and dev, and has one entry at least"),
    (f'{ROUTE}dst = "0.0.0.0/0"\ndev = "eth0"\nnexthops = [{{dev = "eth0"}}]',
     "routes[0].nexthops: stands in place of via and dev, and has one entry at least"),
    (f'{ROUTE}dst = "0.0.0.0/0"\nnexthops = [{{weight = 2}}]', "routes[0].nexthops[0]: dev or via is missing"),
    (f'{ROUTE}dst = "0.0.0.0/0"\nnexthops = [{{dev = "eth0", weight = 0}}]',
     "routes[0].nexthops[0].weight: 0 is not in 1-256"),
    (f'{ROUTE}dst = "1.2.3.0/24"\ndev = "eth0"\ntable = "mine"',
     "routes[0].table: 'mine' is no routing table: give its number, or one of local, main, default"),
    (f'rules = ["fwmark x lookup 5"]\n{ETH0}',
     "rules[0]: 'fwmark x lookup 5' is not understood: write as for ip rule, 'fwmark 0x1 lookup 100'"),
    (f'[sysctls]\n"net.ipv4.ip_forward" = true\n{ETH0}',
     "sysctls.net.ipv4.ip_forward: must be a whole number, not true or false"),
    ('[queue]\nx = "accept"', "queue.x: is not a queue number"),
    ('[queue]\n0 = "maybe"', "queue.0: 'maybe' is not one of accept, drop, repeat"),
    (f"[sysctls]\nnet.ipv4.ip_forwad = 1\n{ETH0}",
     "sysctls.net.ipv4.ip_forwad: there is no such sysctl; net.ipv4.ip_forward is meant?"),
    (f"[sysctls]\nnet.ipv4.conf.eth0.rp_filtre = 1\n{ETH0}",
     "sysctls.net.ipv4.conf.eth0.rp_filtre: there is no such sysctl; net.ipv4.conf.eth0.rp_filter is meant?"),
    (f"[sysctls]\nnet.ipv4.conf.eth9.rp_filter = 1\n{ETH0}",
     "sysctls.net.ipv4.conf.eth9.rp_filter: the host has no interface 'eth9'"),
    (f"[sysctls]\nipv4.ip_forward = 1\n{ETH0}",
     "sysctls.ipv4.ip_forward: there is no such sysctl; net.ipv4.ip_forward is meant?"),
    ('[[sockets]]\nproto = "tcp"', "sockets[0]: port is missing"),
    ('[[sockets]]\nproto = "icmp"\nport = 1', "sockets[0].proto: 'icmp' is not one of tcp, udp"),
    ('[[sockets]]\nproto = "tcp"\nport = 1\npeer = "10.0.0.1"', "sockets[0]: peer and peer_port stand together"),
    ('[[sockets]]\nproto = "tcp"\nport = 1\naddress = "::1"\npeer = "10.0.0.1"\npeer_port = 1',
     "sockets[0].peer: 10.0.0.1 is of another family than ::1"),
    ('osf = "S4:64:1"', "osf: line 1: a fingerprint has 9 parts between colons: 'S4:64:1'"),
    ("[nfacct.a]\nof = 1", "nfacct.a.of: must be a text, not a number"),
    ('[[ipsec]]\ndir = "in"', "ipsec[0]: states is missing"),
    ('[[ipvs]]\nproto = "tcp"\nvaddr = "10.0.0.1"\nvport = 1\nmethod = "NAT"',
     "ipvs[0].method: 'NAT' is not one of GATE, IPIP, MASQ"),
    (f'{ROUTE}dst = "1.2.3.0/24"\ndev = "eth0"\nrealm = "300"',
     "routes[0].realm: '300' is no realm: a number of 0-255, or two as in '1/2'"),
    ('[interfaces.br0]\ntype = "bridge"\nports = ["p1"]',
     "interfaces.br0.ports[0]: the host has no interface 'p1' to be a port"),
    ('[interfaces.p1]\n[interfaces.br0]\nports = ["p1"]',
     "interfaces.br0.ports[0]: br0 is no bridge: give it type = 'bridge'"),
    (f"a = {'[' * 5000}{']' * 5000}", "nested too deep"),
    ("[interfaces.eth0]\nmtu = 1979-05-27", "interfaces.eth0.mtu: must be a whole number, not date"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), BAD)
def test_bad(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "h.toml"
    path.write_text(text)
    with pytest.raises(HostError) as caught:
        load_host(str(path))
    assert re.sub(r"line \d+: ", "", str(caught.value), count=1) == f"{path}: {told}"


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "h.toml"
    path.write_bytes(b"a = \xff")
    with pytest.raises(HostError, match="byte 5: not UTF-8 text; a host is a TOML file"):
        load_host(str(path))


def test_fingerprints_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "h.toml"
    path.write_text(f'osf_file = "my.os"\n{ETH0}')
    with pytest.raises(HostError, match=r"h\.toml: line 1: osf_file: .*my\.os: No such file or directory"):
        load_host(str(path))
    (tmp_path / "my.os").write_text("# none\n\n512:32:0:40:.:NMAP:syn:1:NMAP\n512:32:0:40\n")
    with pytest.raises(HostError, match=r"my\.os: line 4: a fingerprint has 9 parts between colons"):
        load_host(str(path))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="No such file or directory"):
        load_host(str(tmp_path / "none.toml"))


def test_sysctls_need_no_quotes(tmp_path: Path) -> None:
    path = tmp_path / "h.toml"
    path.write_text(f"[sysctls]\nnet.ipv4.ip_forward = 1\nnet.ipv4.conf.eth0.rp_filter = 2\n{ETH0}")
    host = load_host(str(path))
    assert host.sysctls.forwarding(4, "eth0")
    assert host.sysctls.greatest(4, "eth0", "rp_filter") == 2


def test_a_loop_of_routes_ends(tmp_path: Path) -> None:
    path = tmp_path / "h.toml"
    loop = 'dst = "10.0.0.0/24"\nvia = "10.0.0.5"\n[[routes]]\ndst = "10.0.0.5/32"\nvia = "10.0.0.5"\n'
    path.write_text(ROUTE + loop)
    assert load_host(str(path)).fibs[4].lookup(network("10.0.0.9")[1]).route


def test_numbers_without_end(tmp_path: Path) -> None:
    for text in ("cpu = 0x" + "f" * 5000, f'[[routes]]\ndst = "1.0.0.0/8"\ndev = "lo"\ntable = "{"9" * 5000}"'):
        path = tmp_path / "h.toml"
        path.write_text(text)
        with pytest.raises(HostError, match="line"):
            load_host(str(path))


def test_surrogates_are_no_names() -> None:
    with pytest.raises(SchemaError, match="is not an interface name"):
        check_scenario({"host": {"interfaces": {"\ud800" * 6: {}}}}, "f")
