"""A machine in a folder: what the commands printed becomes the same host."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from iptables_emu.host.host import HostError
from iptables_emu.host.load import load_host
from iptables_emu.model.address import network

ADDR = [
    {"ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK", "UP"], "mtu": 65536, "link_type": "loopback",
     "address": "00:00:00:00:00:00", "addr_info": [{"family": "inet", "local": "127.0.0.1", "prefixlen": 8}]},
    {"ifindex": 3, "ifname": "eth0", "flags": ["BROADCAST", "UP"], "mtu": 1400, "link_type": "ether",
     "address": "56:e9:d4:13:7d:2d", "addr_info": [{"family": "inet", "local": "192.168.5.3", "prefixlen": 24}]},
]  # fmt: skip
ROUTES = [
    {"dst": "default", "dev": "eth0", "table": "100"},
    {"dst": "default", "gateway": "192.168.5.1", "dev": "eth0"},
    {"type": "blackhole", "dst": "10.0.0.0/8"},
    {"dst": "192.168.5.0/24", "dev": "eth0", "prefsrc": "192.168.5.3"},
    {"type": "local", "dst": "192.168.5.3", "dev": "eth0", "table": "local", "prefsrc": "192.168.5.3"},
]
RULES = [
    {"priority": 0, "src": "all", "table": "local"},
    {"priority": 32765, "src": "all", "fwmark": "0x7", "fwmask": "0xff", "table": "100"},
    {"priority": 32766, "src": "all", "table": "main"},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, rows in (("addr.json", ADDR), ("route4.json", ROUTES), ("rule4.json", RULES),
                       ("neigh.json",
                        [{"dst": "192.168.5.1", "dev": "eth0", "lladdr": "02:00:00:00:00:99"}])):  # fmt: skip
        (tmp_path / name).write_text(json.dumps(rows))
    (tmp_path / "sysctl").write_text("net.ipv4.conf.eth0.rp_filter = 2\nnet.ipv4.ip_forward = 1\n")
    (tmp_path / "ss").write_text("tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\nudp UNCONN 0 0 127.0.0.1:323 0.0.0.0:*\n")
    return tmp_path


def test_the_host_of_a_folder(folder: Path) -> None:
    host = load_host(str(folder))
    eth0 = host.interfaces["eth0"]
    assert (eth0.mtu, eth0.mac.hex(":"), eth0.arp) == (1400, "56:e9:d4:13:7d:2d", True)
    look = host.fibs[4].lookup
    assert look(network("8.8.8.8")[1]).route.via == network("192.168.5.1")[1]
    assert look(network("8.8.8.8")[1], mark=0x107).route.table == 100
    assert look(network("10.1.1.1")[1]).error == "EINVAL"
    assert host.sysctls.greatest(4, "eth0", "rp_filter") == 2
    assert host.sysctls.forwarding(4, "eth0")
    assert host.sockets.listening(6, 4, network("192.168.5.3")[1], 22)
    assert not host.sockets.listening(17, 4, network("192.168.5.3")[1], 323)
    assert host.neighbours["eth0", network("192.168.5.1")[1]].hex(":") == "02:00:00:00:00:99"


@pytest.mark.parametrize(("name", "text", "told"), [
    ("addr.json", None, "no such file"), ("route4.json", "{", "route4.json"),
    ("rule4.json", "{}", "a list was expected"),
])  # fmt: skip
def test_a_broken_folder_is_told_with_its_file(folder: Path, name: str, text: str | None, told: str) -> None:
    if text is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(text)
    with pytest.raises(HostError, match=told):
        load_host(str(folder))
