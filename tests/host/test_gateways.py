"""Gateways and addresses that the kernel refuses are told with their line; a namespace is asked the same."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from iptables_emu.host.host import HostError
from iptables_emu.host.load import load_host
from iptables_emu.scenario.kernel import testbed
from iptables_emu.scenario.kernel.process import KernelError
from iptables_emu.scenario.kernel.runner import unavailable

REFUSED = [  # what `ip route add` and `ip addr add` say of them: "Nexthop has invalid gateway", "No route to host", ...
    ('dst = "9.0.0.0/8"\nvia = "198.51.100.9"\ndev = "eth0"', "9.0.0.0/8: 198.51.100.9 is on no link of eth0"),
    ('dst = "9.0.0.0/8"\nvia = "198.51.100.1"\ndev = "eth0"', "9.0.0.0/8: 198.51.100.1 is on no link of eth0"),
    ('dst = "9.0.0.0/8"\nvia = "10.0.0.255"\ndev = "eth0"', "9.0.0.0/8: 10.0.0.255 is on no link of eth0"),
    ('dst = "9.0.0.0/8"\nvia = "127.0.0.2"\ndev = "eth0"', "9.0.0.0/8: 127.0.0.2 is on no link of eth0"),
    ('dst = "9.0.0.0/8"\nvia = "224.0.0.1"\ndev = "eth0"', "9.0.0.0/8: 224.0.0.1 is on no link of eth0"),
    ('dst = "9.0.0.0/8"\nvia = "8.0.0.1"', "9.0.0.0/8: 8.0.0.1 is on no link: say dev"),  # behind a gateway itself
    ('dst = "9.0.0.0/8"\nvia = "7.0.0.1"\ndev = "eth0"', "9.0.0.0/8: 7.0.0.1 is on no link of eth0"),  # in a blackhole
    ('dst = "9.0.0.0/8"\nvia = "10.0.0.1"\ndev = "eth0"\nonlink = true',
     "9.0.0.0/8: 10.0.0.1 is no address of another machine"),
    ('dst = "9.0.0.0/8"\nvia = "203.0.113.9"\ndev = "down"', "9.0.0.0/8: 203.0.113.9 is on no link of down"),
    ('dst = "9.0.0.0/8"\nvia = "2001:db8:2::9"\ndev = "eth0"', "9.0.0.0/8: 2001:db8:2::9 is on no link of eth0"),
    ('dst = "::/0"\nvia = "2001:db8:2::9"\ndev = "eth0"', "::/0: 2001:db8:2::9 is on no link of eth0"),
    ('dst = "::/0"\nvia = "2001:db8:3::9"', "::/0: 2001:db8:3::9 is on no link: say dev"),  # behind a gateway itself
    ('dst = "::/0"\nvia = "2001:db8::1"\ndev = "eth0"', "::/0: 2001:db8::1 is an address of this host"),
    ('dst = "::/0"\nvia = "ff02::1"\ndev = "eth0"', "::/0: ff02::1 is no address of another machine"),
    ('dst = "::/0"\nvia = "fe80::9"', "::/0: fe80::9 is of a link: say dev"),
]  # fmt: skip
TAKEN = [
    'dst = "9.0.0.0/8"\nvia = "10.0.0.9"', 'dst = "9.0.0.0/8"\nvia = "10.0.0.1"\ndev = "eth0"',
    'dst = "9.0.0.0/8"\nvia = "198.51.100.9"\ndev = "eth0"\nonlink = true',
    'dst = "9.0.0.0/8"\nvia = "6.0.0.9"\ndev = "eth1"\ntable = 100',
    'dst = "9.0.0.0/8"\nvia = "127.0.0.2"\ndev = "lo"', 'dst = "9.0.0.0/8"\nvia = "0.0.0.0"\ndev = "eth0"',
    'dst = "9.0.0.0/8"\nvia = "2001:db8::9"\ndev = "eth0"', 'dst = "::/0"\nvia = "2001:db8::9"',
    'dst = "::/0"\nvia = "fe80::9"\ndev = "eth1"', 'dst = "::/0"\nvia = "2001:db8::"\ndev = "eth0"',
    'dst = "::/0"\nvia = "2001:db8:5::9"\ndev = "eth0"\nonlink = true',
]  # fmt: skip
WAYS = """
[interfaces]
eth0 = {addresses = ["10.0.0.1/24", "10.0.0.1/25", "2001:db8::1/64"]}
eth1 = {addresses = ["198.51.100.1/24", "10.0.0.1/24", "2001:db8:2::1/64"]}
down = {addresses = ["203.0.113.1/24"], down = true}
lo = {addresses = ["127.0.0.1/8", "::1/128"]}
[[routes]]
dst = "8.0.0.0/8"
via = "10.0.0.9"
[[routes]]
dst = "7.0.0.0/8"
type = "blackhole"
[[routes]]
dst = "6.0.0.0/8"
dev = "eth1"
table = 100
[[routes]]
dst = "2001:db8:3::/64"
via = "2001:db8::9"
[[routes]]
"""


def load(tmp_path: Path, text: str) -> None:
    path = tmp_path / "h.toml"
    path.write_text(text)
    load_host(str(path))


@pytest.mark.parametrize(("route", "told"), REFUSED)
def test_gateways_that_the_kernel_refuses(tmp_path: Path, route: str, told: str) -> None:
    with pytest.raises(HostError) as caught:
        load(tmp_path, WAYS + route)
    assert str(caught.value) == f"{tmp_path}/h.toml: line 22: routes[4].via: route {told}"


@pytest.mark.parametrize("route", TAKEN)
def test_gateways_that_the_kernel_takes(tmp_path: Path, route: str) -> None:
    load(tmp_path, WAYS + route)


def test_one_way_of_several_is_refused(tmp_path: Path) -> None:
    ways = 'nexthops = [{via = "10.0.0.9", dev = "eth0"}, {via = "203.0.113.9", dev = "eth1"}]'
    with pytest.raises(HostError, match=r"line 22: routes\[4\]\.nexthops\[1\]\.via: route 9\.0\.0\.0/8: 203\."):
        load(tmp_path, f'{WAYS}dst = "9.0.0.0/8"\n{ways}')


@pytest.mark.parametrize("twice", ['"10.0.0.1/24", "10.0.0.1/24"', '"2001:db8::1/64", "2001:db8::1/65"'])
def test_the_same_address_twice(tmp_path: Path, twice: str) -> None:
    with pytest.raises(HostError, match=r"line 2: interfaces\.eth0\.addresses\[1\]: eth0 has \S+1 already$"):
        load(tmp_path, f"[interfaces.eth0]\naddresses = [{twice}]\n")


def build(host: dict[str, Any]) -> None:
    reason = unavailable()
    if reason:
        pytest.skip(reason)
    testbed.Testbed(host, ipv6=True).close()


@pytest.mark.kernel
@pytest.mark.parametrize(("route", "told"), REFUSED)
def test_the_kernel_refuses(route: str, told: str) -> None:
    with pytest.raises(KernelError):
        build(tomllib.loads(WAYS + route))


@pytest.mark.kernel
@pytest.mark.parametrize("route", TAKEN)
def test_the_kernel_takes(route: str) -> None:
    build(tomllib.loads(WAYS + route))
