"""A real machine in a folder: what ``iptables-sim snapshot DIR`` collects there, and a host made of it anywhere.

Each file holds the output of one command, so that a folder can also be made by hand.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from iptables_emu.host.fib import MAIN, TABLES, Hop, PolicyRule, Route
from iptables_emu.host.host import Address, Host, HostError, Interface
from iptables_emu.host.sockets import Socket, Sockets
from iptables_emu.host.words import ACTIONS, protocol_number
from iptables_emu.model.address import BITS, network, prefix_mask

COMMANDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("iptables-save", ("iptables-save", "-c")),
    ("ip6tables-save", ("ip6tables-save", "-c")),
    ("ipset-save", ("ipset", "save")),
    ("addr.json", ("ip", "-j", "addr")),
    ("route4.json", ("ip", "-j", "-4", "route", "show", "table", "all")),
    ("route6.json", ("ip", "-j", "-6", "route", "show", "table", "all")),
    ("rule4.json", ("ip", "-j", "-4", "rule")),
    ("rule6.json", ("ip", "-j", "-6", "rule")),
    ("neigh.json", ("ip", "-j", "neigh")),
    ("sysctl", ("sysctl", "-a")),
    ("conntrack", ("conntrack", "-L", "-o", "extended")),
    ("ss", ("ss", "-Hnltu")),
)
NEEDED = frozenset({"iptables-save", "addr.json", "route4.json"})
TIMEOUT_SECONDS = 60


def collect(folder: Path) -> list[str]:
    """Run the commands and write their output; returns a line for each that could not be had."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = []
    for name, command in COMMANDS:
        if shutil.which(command[0]) is None:
            missing.append(f"{name}: {command[0]} is not installed")
            continue
        try:
            done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            missing.append(f"{name}: {error}")
            continue
        if done.returncode and name != "sysctl":
            why = done.stderr.decode(errors="replace").strip().splitlines()
            missing.append(f"{name}: {why[0] if why else f'status {done.returncode}'}")
            continue
        (folder / name).write_bytes(done.stdout)
    return missing


def load_snapshot(folder: Path) -> Host:
    """The host that a folder describes. Raises HostError naming the file."""
    host = Host()
    for fib in host.fibs.values():
        fib.tables = {number: [] for number in fib.tables}
        fib.rules = []
    host.interfaces = {}
    _sysctls(host, folder)
    for link in _json(folder, "addr.json", needed=True):
        _link(host, link)
    host.interfaces.setdefault("lo", Interface("lo", bytes(6), 65536, "loopback"))
    for family in (4, 6):
        for row in _json(folder, f"route{family}.json", needed=family == 4):
            _route(host, family, row)
        for row in _json(folder, f"rule{family}.json") or [
            {"priority": 0, "table": "local"}, {"priority": 32766, "table": "main"},
        ]:  # fmt: skip
            _rule(host, family, row)
    for row in _json(folder, "neigh.json"):
        if "lladdr" in row:
            host.neighbours[row["dev"], network(row["dst"])[1]] = bytes.fromhex(row["lladdr"].replace(":", ""))
    if (folder / "conntrack").exists():
        host.connections = (folder / "conntrack").read_text(encoding="utf-8", errors="replace")
    host.sockets = Sockets(_sockets(folder))
    if (folder / "ipset-save").exists():
        host.ipset_text = (folder / "ipset-save").read_bytes().decode("utf-8", "surrogateescape")
    return host


def _json(folder: Path, name: str, *, needed: bool = False) -> list[dict[str, Any]]:
    try:
        text = (folder / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        if needed:
            raise HostError(f"{folder / name}: no such file; is this a folder that snapshot made?") from None
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise HostError(f"{folder / name}: {error}") from None
    try:
        rows = json.loads(text or "[]")
    except ValueError as error:
        raise HostError(f"{folder / name}: {error}") from None
    if not isinstance(rows, list):
        raise HostError(f"{folder / name}: a list was expected")
    return [row for row in rows if isinstance(row, dict) and row]


def _sysctls(host: Host, folder: Path) -> None:
    path = folder / "sysctl"
    if not path.exists():
        return
    values: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        name, equals, value = line.partition(" = ")
        if equals:
            values[name.strip()] = value.strip()
    # "all" first: what an interface says of itself counts after it
    host.sysctls.update({k: v for k, v in values.items() if ".all." in k})
    host.sysctls.update(values)


def _link(host: Host, link: dict[str, Any]) -> None:
    name = link.get("ifname", "")
    flags = link.get("flags", [])
    kind = "loopback" if "LOOPBACK" in flags else "veth"
    mac = (
        bytes.fromhex(link.get("address", "").replace(":", ""))
        if link.get("link_type") in ("ether", "loopback")
        else b""
    )
    interface = Interface(
        name, mac.ljust(6, b"\0")[:6], int(link.get("mtu", 1500)), kind, "NOARP" not in flags, "UP" in flags,
        "NO-CARRIER" not in flags, _group(link.get("group", "default")), int(link.get("ifindex", 0)),
    )  # fmt: skip
    for a in link.get("addr_info", []):
        if "local" in a:
            family, value, _ = network(a["local"])
            interface.addresses.append(Address(family, value, int(a["prefixlen"]), bool(a.get("secondary"))))
            host.ipv6 = host.ipv6 or family == 6
    host.interfaces[name] = interface


def _group(text: str) -> int:
    return int(text) if str(text).lstrip("-").isdigit() else 0


def _route(host: Host, family: int, row: dict[str, Any]) -> None:
    text = row.get("dst", "default")
    value, plen = (0, 0) if text == "default" else network(text if "/" in text else f"{text}/{BITS[family]}")[1:]
    table = str(row.get("table", "main"))
    number = TABLES[table] if table in TABLES else int(table) if table.isdigit() else MAIN
    hops = tuple(_hop(hop, family) for hop in row.get("nexthops") or [row])
    src = network(row["prefsrc"])[1] if "prefsrc" in row else None
    metrics = {key: value for given in row.get("metrics", ()) for key, value in given.items()}
    host.fibs[family].add(
        Route(family, value & prefix_mask(plen, family), plen, hops[0].dev, hops[0].via, src, number,
              row.get("type", "unicast"), int(row.get("metric", 0)), hops if len(hops) > 1 else (), hops[0].family,
              int(metrics.get("mtu", 0)), tos=int(str(row.get("tos", 0)), 0))
    )  # fmt: skip


def _hop(hop: dict[str, Any], family: int) -> Hop:
    given = hop.get("gateway") or hop.get("via", {}).get("host")
    via_family, via, _ = network(given) if given else (family, None, 0)
    return Hop(hop.get("dev", ""), via, int(hop.get("weight", 1)), via_family)


def _rule(host: Host, family: int, row: dict[str, Any]) -> None:
    table = str(row.get("table", "main"))
    number = TABLES[table] if table in TABLES else int(table) if table.isdigit() else MAIN
    mark = None
    if "fwmark" in row:
        mark = (int(str(row["fwmark"]), 0), int(str(row.get("fwmask", "0xffffffff")), 0))
    ends = {}
    for key in ("src", "dst"):
        text = row.get(key, "all")
        if text != "all":
            length = row.get(f"{key}len", BITS[family])
            ends[key] = (network(text)[1], int(length))
    action = "nop" if "nop" in row else row.get("action", "lookup")
    target = int(row["goto"]) if str(row.get("goto", "")).isdigit() else 0
    host.fibs[family].add_rule(
        PolicyRule(
            int(row["priority"]), number, mark, ends.get("src"), ends.get("dst"), row.get("iif", ""),
            row.get("oif", ""), int(str(row.get("tos", 0)), 0),
            "goto" if target else action if action in ACTIONS else "lookup", "not" in row,
            protocol_number(str(row["ipproto"])) if "ipproto" in row else 0,
            _ends(row, "sport"), _ends(row, "dport"), _ends(row, "uid"),
            int(row.get("suppress_prefixlen", -1)), _group(row.get("suppress_ifgroup", "-1")), target,
        )
    )  # fmt: skip


def _ends(row: dict[str, Any], key: str) -> tuple[int, int] | None:
    """A selector's first and last value, as ``ip -j rule`` prints them."""
    if key in row:
        return int(row[key]), int(row[key])
    return (int(row[f"{key}_start"]), int(row[f"{key}_end"])) if f"{key}_start" in row else None


def _sockets(folder: Path) -> list[Socket]:
    """Listening sockets of ``ss -Hnltu``."""
    path = folder / "ss"
    out: list[Socket] = []
    if not path.exists():
        return out
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        if len(words) < 5 or words[0] not in ("tcp", "udp"):
            continue
        where, _, port = words[4].rpartition(":")
        if not port.isdigit():
            continue
        where = where.partition("%")[0].strip("[]")
        anything = where in ("*", "0.0.0.0", "::")
        family = 4 if where == "0.0.0.0" else 6 if where in ("*", "::") else network(where)[0]
        address = None if anything else network(where)[1]
        out.append(Socket(6 if words[0] == "tcp" else 17, int(port), family, address))
    return out
