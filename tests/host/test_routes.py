"""Routes, rules, addresses: what the kernel's tables hold and answer."""

from __future__ import annotations

import pytest

from iptables_emu.host.fib import Flow
from iptables_emu.host.host import Address, Host, HostError, parse_address
from iptables_emu.model.address import network, show

HOST = {
    "interfaces": {"eth0": {"addresses": ["192.168.5.3/24", "192.168.5.4/24"]}, "eth1": {"addresses": ["10.8.0.1/24"]}},
    "routes": [
        {"dst": "0.0.0.0/0", "via": "192.168.5.1", "dev": "eth0"},
        {"dst": "10.9.0.0/16", "via": "10.8.0.2"},
        {"dst": "10.9.1.0/24", "type": "unreachable"},
        {"dst": "10.9.2.0/24", "type": "blackhole"},
        {"dst": "10.9.3.0/24", "type": "prohibit"},
        {"dst": "0.0.0.0/0", "dev": "eth1", "table": 100},
    ],
    "rules": ["fwmark 7 lookup 100"],
}


def value(text: str) -> int:
    return network(text)[1]


@pytest.mark.parametrize(("dst", "mark", "expected"), [
    ("192.168.5.9", 0, "unicast eth0"), ("192.168.5.3", 0, "local eth0"), ("192.168.5.255", 0, "broadcast eth0"),
    ("192.168.5.0", 0, "unicast eth0"), ("8.8.8.8", 0, "unicast eth0 192.168.5.1"), ("8.8.8.8", 7, "unicast eth1"),
    ("10.9.9.9", 0, "unicast eth1 10.8.0.2"), ("10.9.1.1", 0, "EHOSTUNREACH"), ("10.9.2.1", 0, "EINVAL"),
    ("10.9.3.1", 0, "EACCES"), ("127.1.2.3", 0, "local lo"), ("127.255.255.255", 0, "broadcast lo"),
])  # fmt: skip
def test_look_ups(dst: str, mark: int, expected: str) -> None:
    found = Host.from_dict(HOST).fibs[4].lookup(value(dst), mark=mark)
    if found.error:
        assert found.error == expected
        return
    route = found.route
    via = f" {show(route.via, 4)}" if route.via is not None else ""
    assert f"{route.type} {route.dev}{via}" == expected


def test_the_secondary_address_goes_with_its_primary() -> None:
    host = Host.from_dict(HOST)
    assert host.remove_address("eth0", parse_address("192.168.5.3/24"))
    assert not host.is_local(value("192.168.5.4"), 4)
    # with its last address the interface loses the default route, too
    assert host.fibs[4].lookup(value("8.8.8.8")).error == "ENETUNREACH"


def test_an_address_that_is_not_there_is_not_removed() -> None:
    assert not Host.from_dict(HOST).remove_address("eth0", Address(4, value("1.2.3.4"), 24))


@pytest.mark.parametrize(("address", "kind"), [
    ("192.168.5.4", "LOCAL"), ("10.8.0.255", "BROADCAST"), ("255.255.255.255", "BROADCAST"), ("0.0.0.0", "BROADCAST"),
    ("224.0.0.5", "MULTICAST"), ("8.8.8.8", "UNICAST"), ("127.0.0.1", "LOCAL"),
])  # fmt: skip
def test_address_types(address: str, kind: str) -> None:
    assert Host.from_dict(HOST).addr_type(value(address), 4) == kind


def test_all_forwarding_does_not_undo_one_interface() -> None:
    host = Host.from_dict({**HOST, "sysctls": {"net.ipv4.conf.eth1.forwarding": 0, "net.ipv4.ip_forward": 1}})
    assert [host.sysctls.forwarding(4, name) for name in ("eth0", "eth1")] == [True, False]


@pytest.mark.parametrize("rule", ["fwmark 7 frobnicate", "lookup main sideways 3"])
def test_a_rule_that_is_not_understood_is_an_error(rule: str) -> None:
    with pytest.raises(HostError, match="not understood"):
        Host.from_dict({**HOST, "rules": [rule]})


@pytest.mark.parametrize(("rule", "flow", "selected"), [
    ("ipproto udp dport 53 lookup 100", Flow(1, proto=17, dport=53), True),
    ("ipproto udp dport 53 lookup 100", Flow(1, proto=6, dport=53), False),
    ("sport 20-1023 lookup 100", Flow(1, sport=1024), False),
    ("uidrange 1000-2000 lookup 100", Flow(1, uid=1500), True),
    ("not uidrange 1000-2000 lookup 100", Flow(1, uid=1500), False), ("tos 0x10 lookup 100", Flow(1, tos=0xF0), True),
    ("tos 10 lookup 100", Flow(1, tos=0x10), True), ("oif eth0 lookup 100", Flow(1, iif="eth0"), False),
    ("-4 fwmark 0x10/0xf0 lookup 100", Flow(1, mark=0x11), True),
])  # fmt: skip
def test_what_rules_select(rule: str, flow: Flow, selected: bool) -> None:
    host = Host.from_dict({**HOST, "rules": [rule]})
    assert any(r.table == 100 for r in host.fibs[4].choosing(flow)) is selected


def test_goto_leads_on_and_suppressed_routes_do_not_count() -> None:
    rules = ["pref 5 goto 20", "pref 10 prohibit", "pref 20 lookup main suppress_prefixlength 0"]
    host = Host.from_dict({**HOST, "rules": rules})
    assert host.fibs[4].find(Flow(value("10.9.9.9"))).type == "unicast"
    assert [r.priority for r in host.fibs[4].choosing(Flow(1))] == [0, 20, 32766, 32767]
    found = host.fibs[4].find(Flow(value("8.8.8.8")))
    assert found.route is not None and found.route.plen == 0  # by main's own rule after all


def test_rules_of_ipv6() -> None:
    host = Host.from_dict({**HOST, "rules": ["-6 fwmark 7 prohibit"]})
    assert host.fibs[6].find(Flow(1, mark=7)).error == "EACCES"
    assert not host.fibs[4].find(Flow(value("8.8.8.8"), mark=7)).error
