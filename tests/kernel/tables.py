"""The kernel's tables of extensions, ``ext/*.k``: rules, and packets aimed at their edges.

::

    # a comment
    @4                     the block's families (those that have the extension of the file's name), and backends (both):
                           "@46 legacy"
    *mangle PREROUTING     the table and chain of the rules that follow (so at first)
    :name                  a chain of the table, to come in ``*filter name``
    %net.ipv4.ip_forward=0         a sysctl of the block's host
    $create a hash:ip      a line of ipset restore for the block's host
    -m mark --mark 5       a rule, one line a case
    > proto=udp dport=53   a packet that comes in by eth0 ("in=eth1" by another): keys of `packet.build`
    < dst=10.8.0.9         a packet of this host's own
    ~ 0.3                  seconds pass
    = {"listen": ...}      any other step, in JSON
    & {"queue": ...}       more of the block's host, in JSON
    ? conntrack expect     what is observed besides, after each step

In every line {near} and the other `WORDS` are what they are in the family: {near} is a neighbour by eth0, {here} this
host there, {far} a neighbour by eth1, {out} this host there; {world} lies behind eth0's gateway. A
packet's ``inner.KEY=`` are the keys of the packet that an ICMP error quotes; a value in brackets is JSON
(``slice=[0,20]``).

Blocks are separated by empty lines; each is a scenario for each family: its rules, then its packets, one after another.
What is compared is everything, so every rule that a packet meets or does not meet. Where nothing else is said a packet
goes from 192.168.5.9 port 4000 to this host, 192.168.5.3 port 80 (2001:db8:5::9 and ::3). A name with a capital is a
target's.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from iptables_emu.ext.registry import find_match, find_target
from iptables_emu.packet.build import PROTOCOLS
from iptables_emu.scenario.format import Scenario, check_scenario, expand

HERE = Path(__file__).parent / "ext"
ADDRESSES = {
    4: {"eth0": "192.168.5.3/24", "eth1": "10.8.0.1/24"},
    6: {"eth0": "2001:db8:5::3/64", "eth1": "fd00:2::1/64"},
}
ENDS = {4: ("192.168.5.9", "192.168.5.3"), 6: ("2001:db8:5::9", "2001:db8:5::3")}
WORDS = {
    "near": (ENDS[4][0], ENDS[6][0]),
    "here": (ENDS[4][1], ENDS[6][1]),
    "far": ("10.8.0.9", "fd00:2::9"),
    "out": ("10.8.0.1", "fd00:2::1"),
    "world": ("9.9.9.9", "2001:db8:9::9"),
    "any": ("0.0.0.0", "::"),
    "all": ("0.0.0.0/0", "::/0"),
    "icmp": ("icmp", "icmpv6"),
    "inet": ("inet", "inet6"),
}
DEFAULT_ROUTE = {
    4: {"dst": "0.0.0.0/0", "via": "192.168.5.1", "dev": "eth0"},
    6: {"dst": "::/0", "via": "2001:db8:5::1", "dev": "eth0"},
}
TEXTS = frozenset({"src", "dst", "flags", "payload", "payload_hex", "tcp_options_hex", "ip_options_hex"})


def families_of(name: str) -> tuple[int, ...]:
    """The families that have the extension of a file's name."""
    find = find_target if name != name.lower() else find_match
    return tuple(family for family in (4, 6) if find(name, family) is not None)


def scenarios(path: Path) -> Iterator[tuple[str, Scenario]]:
    """(name, scenario) of every block, family and backend of a file."""
    blocks = [block.split("\n") for block in path.read_text().split("\n\n")]
    for number, lines in enumerate(blocks, 1):
        lines = [line.strip() for line in lines if line.strip() and line[0] != "#"]
        if not lines:
            continue
        said, *backends = next((line[1:] for line in lines if line[0] == "@"), "").split() or [""]
        for family in map(int, said) if said else families_of(path.stem):
            raw = _scenario(lines, family) | {"backends": backends or ["nft", "legacy"]}
            for scenario in expand(check_scenario(raw, f"{path.name} block {number}")):
                yield f"{path.stem}-{number}-ipv{family}-{scenario['backend']}", scenario


def _scenario(lines: list[str], family: int) -> dict[str, Any]:
    sysctls: dict[str, Any] = {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1}
    tables: dict[str, list[str]] = {}
    table, chain, sets, steps = "mangle", "PREROUTING", [], []
    more: dict[str, Any] = {}
    observed: list[str] = []
    for line in lines:
        for word, both in WORDS.items():
            line = line.replace(f"{{{word}}}", both[family == 6])
        kind, rest = line[0], line[1:].strip()
        if kind == "*":
            table, _, chain = rest.partition(" ")
        elif kind == "%":
            name, _, value = rest.partition("=")
            sysctls[name] = int(value) if value.isdecimal() else value
        elif kind == "$":
            sets.append(rest)
        elif kind in "><":
            steps.append(_packet(rest, family, own=kind == "<"))
        elif kind == "~":
            steps.append({"sleep": float(rest)})
        elif kind == "=":
            steps.append(json.loads(rest))
        elif kind == "&":
            more |= json.loads(rest)
        elif kind == "?":
            observed += rest.split()
        elif kind == ":":
            tables.setdefault(table, []).append(f":{rest} -")
        elif kind != "@":
            tables.setdefault(table, []).append(f"-A {chain} {line}")
    host: dict[str, Any] = {
        "interfaces": {name: {"addresses": [address]} for name, address in ADDRESSES[family].items()},
        "routes": [DEFAULT_ROUTE[family]],
        "sysctls": sysctls,
    }
    if sets:
        host["ipsets"] = "\n".join(sets) + "\n"
    host |= more
    text = [row for name, rows in tables.items() for row in (f"*{name}", *rows, "COMMIT")]
    raw = {"host": host, "rulesets": {f"ipv{family}": text}, "steps": steps}
    return raw | ({"observe": observed} if observed else {})


def _packet(text: str, family: int, *, own: bool) -> dict[str, Any]:
    words = dict(word.partition("=")[::2] for word in shlex.split(text))
    iface = words.pop("in", "eth0")
    near, here = ENDS[family]
    packet: dict[str, Any] = {"src": here if own else near, "dst": near if own else here}
    packet |= _fields({key: value for key, value in words.items() if not key.startswith("inner.")})
    inner = {key[6:]: value for key, value in words.items() if key.startswith("inner.")}
    if inner:
        packet["inner"] = _fields(inner)
    if own:
        return {"send_local": {"packet": packet}}
    return {"inject": {"iface": iface, "packet": packet}}


def _fields(words: dict[str, str]) -> dict[str, Any]:
    ports: dict[str, Any] = {"sport": 4000, "dport": 80} if words.get("proto", "tcp") in ("tcp", "udp", "sctp") else {}
    return ports | {key: value if key in TEXTS else _value(value) for key, value in words.items()}


def _value(text: str) -> object:
    """A name (of a protocol), a number, true or false, or JSON in brackets."""
    if text in PROTOCOLS:
        return text
    return json.loads(text) if text[0] in "[tf" else int(text, 0)


def all_scenarios() -> list[tuple[str, Scenario]]:
    """Those of every table."""
    return [one for path in sorted(HERE.glob("*.k")) for one in scenarios(path)]
