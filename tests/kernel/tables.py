"""The kernel's tables of extensions, ``ext/*.k``: rules, and packets aimed at their edges.

::

    # a comment
    @4                     the block's families; without it those that have the extension of the file's name
    *mangle PREROUTING     the table and chain of the rules that follow (so at first)
    %net.ipv4.ip_forward=0         a sysctl of the block's host
    $create a hash:ip      a line of ipset restore for the block's host
    ={"cpu": 0}            keys of the block's host, in JSON: in place of those that it has otherwise
    :name                  a chain of the table
    -m mark --mark 5       a rule, one line a case
    > proto=udp dport=53   a packet that comes in by eth0 ("in=eth1" by another): keys of `packet.build`, as "slice=0:4"
    < dst=10.8.0.9         a packet of this host's own
    +{"listen": {}}        another step, in JSON
    ~ 0.3                  seconds pass

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
from iptables_emu.scenario.format import Scenario, check_scenario, expand

HERE = Path(__file__).parent / "ext"
ADDRESSES = {
    4: {"eth0": "192.168.5.3/24", "eth1": "10.8.0.1/24"},
    6: {"eth0": "2001:db8:5::3/64", "eth1": "fd00:2::1/64"},
}
ENDS = {4: ("192.168.5.9", "192.168.5.3"), 6: ("2001:db8:5::9", "2001:db8:5::3")}
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
        said = next((line[1:] for line in lines if line[0] == "@"), "")
        for family in map(int, said) if said else families_of(path.stem):
            raw = _scenario(lines, family)
            for scenario in expand(check_scenario(raw, f"{path.name} block {number}")):
                yield f"{path.stem}-{number}-ipv{family}-{scenario['backend']}", scenario


def _scenario(lines: list[str], family: int) -> dict[str, Any]:
    sysctls: dict[str, Any] = {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1}
    tables: dict[str, list[str]] = {}
    table, chain, sets, steps = "mangle", "PREROUTING", [], []
    keys: dict[str, Any] = {}
    for line in lines:
        kind, rest = line[0], line[1:].strip()
        if kind == "*":
            table, _, chain = rest.partition(" ")
        elif kind == "%":
            name, _, value = rest.partition("=")
            sysctls[name] = int(value) if value.isdecimal() else value
        elif kind == "$":
            sets.append(rest)
        elif kind == "=":
            keys |= json.loads(rest)
        elif kind == "+":
            steps.append(json.loads(rest))
        elif kind in "><":
            steps.append(_packet(rest, family, own=kind == "<"))
        elif kind == "~":
            steps.append({"sleep": float(rest)})
        elif kind == ":":
            tables.setdefault(table, []).append(f":{rest} -")
        elif kind != "@":
            tables.setdefault(table, []).append(f"-A {chain} {line}")
    host: dict[str, Any] = {
        "interfaces": {name: {"addresses": [address]} for name, address in ADDRESSES[family].items()},
        "routes": [DEFAULT_ROUTE[family]],
        "sysctls": sysctls,
        **keys,
    }
    if sets:
        host["ipsets"] = "\n".join(sets) + "\n"
    text = [row for name, rows in tables.items() for row in (f"*{name}", *rows, "COMMIT")]
    return {"host": host, "backends": ["nft", "legacy"], "rulesets": {f"ipv{family}": text}, "steps": steps}


def _packet(text: str, family: int, *, own: bool) -> dict[str, Any]:
    words = dict(word.partition("=")[::2] for word in shlex.split(text))
    iface = words.pop("in", "eth0")
    near, here = ENDS[family]
    packet: dict[str, Any] = {"src": here if own else near, "dst": near if own else here}
    if words.get("proto", "tcp") in ("tcp", "udp", "sctp"):
        packet |= {"sport": 4000, "dport": 80}
    packet |= {key: value if key in TEXTS else _value(value) for key, value in words.items()}
    if own:
        return {"send_local": {"packet": packet}}
    return {"inject": {"iface": iface, "packet": packet}}


def _value(text: str) -> object:
    """true, false, a number, START:SIZE, or the name of a protocol."""
    if text in ("true", "false"):
        return text == "true"
    start, colon, size = text.partition(":")
    if colon:
        return [int(start), int(size) if size else None]
    return int(text, 0) if text[0].isdecimal() else text


def all_scenarios() -> list[tuple[str, Scenario]]:
    """Those of every table."""
    return [one for path in sorted(HERE.glob("*.k")) for one in scenarios(path)]
