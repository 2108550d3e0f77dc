"""The scenario format: reading it from JSON or TOML, and checking it.

A scenario is a host, rulesets and steps; see `SCENARIO` and `STEPS` below for the keys, and
`packet.build` for those of a packet.  A checked scenario stays a plain dict, as it is given to the
emulator and to the kernel.
"""

from __future__ import annotations

import json
import struct
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TextIO

from iptables_emu.host import schema
from iptables_emu.host.load import build_host, device_check, host_check, sysctls_check
from iptables_emu.host.locate import Steps, json_line, toml_line
from iptables_emu.host.schema import U8, U16, U32, Check, Place
from iptables_emu.host.schema import SchemaError as ScenarioError
from iptables_emu.packet.build import PROTOCOLS, TCP_FLAGS, build

__all__ = ["BACKENDS", "Loaded", "Scenario", "ScenarioError", "check_scenario", "find_files", "kernel_refusal", "load"]

Scenario = dict[str, Any]

BACKENDS: Final = ("nft", "legacy")
FAMILIES: Final = ("ipv4", "ipv6")
OBSERVABLE: Final = ("conntrack", "save", "expect", "events", "snmp")
NOT_OF_A_NAMESPACE: Final = ("sockets", "cgroups", "ipsec", "ipvs", "audit")
SUFFIXES: Final = (".json", ".toml")
STDIN: Final = "standard input"

PORT: Final = schema.integer(0, 65535)
LINES: Final = schema.either(str, schema.text, schema.list_of(schema.text))


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one file held.  ``is_list``: several answers are wanted, be it for one scenario."""

    source: str
    scenarios: list[Scenario]
    is_list: bool

    def label(self, index: int) -> str:
        """A name for people of a scenario."""
        name = self.scenarios[index].get("name")
        if name:
            return str(name)
        return f"{self.source}[{index}]" if len(self.scenarios) > 1 and self.is_list else self.source


# -- packets ----------------------------------------------------------------------------------------


def check_flags(value: object, place: Place) -> None:
    """Letters of TCP flags."""
    schema.text(value, place)
    for letter in str(value):
        if letter not in TCP_FLAGS:
            raise place.error(f"{letter!r} is not one of the flags {TCP_FLAGS}")


def check_slice(value: object, place: Place) -> None:
    """[start, size]; a size of null is all the rest."""
    if not isinstance(value, list) or len(value) != 2:
        raise place.error("must be [start, size or null]")
    U16(value[0], place.item(0))
    if value[1] is not None:
        U16(value[1], place.item(1))


def check_packet(value: object, place: Place) -> None:
    """A packet dict, as `packet.build.build` takes it."""
    PACKET_KEYS(value, place)
    packet = schema.object_at(value, place)
    if (":" in str(packet["src"])) != (":" in str(packet["dst"])):
        raise place.error("src and dst are of different families")
    if packet.get("proto", "tcp") in ("tcp", "udp", 6, 17):
        for key in ("sport", "dport"):
            if key not in packet:
                raise place.error(f"{key} is missing")
    try:
        build(packet)
    except (ValueError, OSError, OverflowError, struct.error) as error:
        raise place.error(f"makes no packet: {error}") from None


PACKET_KEYS: Final = schema.keys(
    {
        "src": schema.address,
        "dst": schema.address,
        "proto": schema.either(str, schema.one_of(PROTOCOLS), U8),
        "ttl": U8,
        "tos": U8,
        "id": U16,
        "df": schema.boolean,
        "mf": schema.boolean,
        "frag": schema.integer(0, 0x1FFF),
        "slice": check_slice,
        "ip_options_hex": schema.hex_bytes(0, 40, multiple=4),
        "sport": PORT,
        "dport": PORT,
        "flags": check_flags,
        "seq": U32,
        "ack": U32,
        "window": U16,
        "tcp_options_hex": schema.hex_bytes(0, 43),
        "type": U8,
        "code": U8,
        "ident": U16,
        "icmp_seq": U16,
        "mtu": U16,
        "inner": check_packet,
        "payload": schema.text,
        "payload_hex": schema.hex_bytes(),
        "bad_checksum": schema.boolean,
    },
    required=("src", "dst"),
)

# -- the steps -----------------------------------------------------------------------------------------


def step_checks(device: Check, link: Check, sysctls: Check) -> dict[str, Check]:
    """The check of each kind of step."""
    owner: dict[str, Check] = {"uid": U32, "gid": U32, "mark": U32}
    packet: dict[str, Check] = {"packet": check_packet, "packet_hex": schema.hex_bytes(1)}
    frame = {"iface": link, **packet, "frame_hex": schema.hex_bytes(14), "dst_mac": schema.mac}
    inject = schema.keys(frame, ("iface",), ("packet", "packet_hex", "frame_hex"))
    proto = schema.one_of(("tcp", "udp"))
    listener: dict[str, Check] = {
        "proto": proto, "port": PORT, "address": schema.address, "transparent": schema.boolean,
    }  # fmt: skip
    ends: dict[str, Check] = {"src": schema.address, "sport": PORT, "dst": schema.address, "dport": PORT}
    return {
        "inject": schema.either(list, schema.list_of(inject), inject),
        "send_local": schema.keys({**packet, **owner}, (), ("packet", "packet_hex")),
        "connect": schema.keys({"proto": proto, **ends, "payload": schema.text, **owner}, ("proto", "dst", "dport")),
        "listen": schema.keys({**listener, **owner}, ("proto", "port")),
        "sleep": schema.seconds,
        "sysctl": sysctls,
        "ip": schema.words,
        "ip_addr_change": schema.keys(
            {"op": schema.one_of(("add", "del")), "dev": device, "address": schema.address_with_prefix},
            ("op", "dev", "address"),
        ),
        "iptables": schema.words,
        "conntrack": schema.words,
        "flush": schema.one_of(("conntrack",)),
    }


SCENARIO: Final[Mapping[str, Check]] = {
    "backend": schema.one_of(BACKENDS),
    "backends": schema.list_of(schema.one_of(BACKENDS)),
    "rulesets": schema.keys(dict.fromkeys(FAMILIES, LINES)),
    "restore_options": schema.list_of(schema.text),
    "observe": schema.list_of(schema.one_of(OBSERVABLE)),
    "random": schema.boolean,
    "nokernel": schema.text,
    "name": schema.text,
    "about": schema.anything,
    "expect": schema.anything,
}


def check_scenario(value: object, source: str, steps: Steps = ()) -> Scenario:
    """The value as a scenario; ScenarioError with the place of the first fault."""
    top = Place(source, steps)
    scenario = schema.object_at(value, top)
    for key, item in scenario.items():
        if key in SCENARIO:
            SCENARIO[key](item, top.key(key))
        elif key not in ("host", "steps") and not key.startswith("_"):
            raise top.key(key).error("unknown key")
    if "backends" in scenario and ("backend" in scenario or not scenario["backends"]):
        raise top.key("backends").error("stands in place of backend, and names one at least")
    place = top.key("host")
    host = schema.object_at(scenario.get("host", {}), place)
    interfaces = schema.object_at(host.get("interfaces", {}), place.key("interfaces"))

    device = device_check(interfaces)

    def link(name: object, place: Place) -> None:
        schema.text(name, place)
        config = interfaces.get(str(name))
        if name == "lo" or not isinstance(config, dict):
            raise place.error(f"the host has no interface {name!r}" if name != "lo" else "nothing comes in by lo")
        if config.get("type", "veth") != "veth":
            raise place.error(f"{name!r} is a {config['type']}: nothing comes in there")

    host_check(interfaces)(host, place)
    build_host(host, place)
    checks = step_checks(device, link, sysctls_check(interfaces))
    schema.list_of(lambda step, place: check_step(step, place, checks))(scenario.get("steps", []), top.key("steps"))
    return scenario


def check_step(value: object, place: Place, checks: Mapping[str, Check]) -> None:
    """One step: an object with one key, its kind."""
    step = schema.object_at(value, place)
    if len(step) != 1:
        raise place.error(f"a step has one key, its kind, not {len(step)}")
    ((kind, what),) = step.items()
    if kind not in checks:
        raise place.error(f"{kind!r} is not a kind of step ({', '.join(checks)})")
    checks[kind](what, place.key(kind))


# -- reading --------------------------------------------------------------------------------------------


def load(path: str, stdin: TextIO) -> Loaded:
    """The scenarios of a JSON or TOML file (by its suffix), or JSON of ``stdin`` for ``-``, one per backend."""
    source = STDIN if path == "-" else path
    try:
        content = stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        data = tomllib.loads(content) if path.endswith(".toml") else json.loads(content)
    except OSError as error:
        raise ScenarioError(f"{source}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise ScenarioError(f"{source}: line {error.lineno} column {error.colno}: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{source}: byte {error.start + 1}: not UTF-8 text; a scenario is JSON or TOML") from None
    except RecursionError:
        raise ScenarioError(f"{source}: nested too deep") from None
    except ValueError as error:  # TOML's, and numbers of more digits than Python reads
        raise ScenarioError(f"{source}: {error}") from None
    is_list = isinstance(data, list)
    found: list[Scenario] = []
    for index, value in enumerate(data if is_list else [data]):
        try:
            found += expand(check_scenario(value, source, (index,) if is_list else ()))
        except ScenarioError as error:
            find = toml_line if path.endswith(".toml") else json_line
            raise error.on_line(partial(find, content)) from None
    return Loaded(source, found, is_list or len(found) > 1)


def expand(scenario: Scenario) -> list[Scenario]:
    """One scenario per backend that it names; each says its backend."""
    backends = scenario.get("backends") or [scenario.get("backend", BACKENDS[0])]
    rest = {key: value for key, value in scenario.items() if key != "backends"}
    return [{**rest, "backend": backend} for backend in dict.fromkeys(backends)]


def find_files(paths: list[str]) -> list[str]:
    """The paths, with directories replaced by the scenario files below them, sorted."""
    found: list[str] = []
    for path in paths:
        if path != "-" and Path(path).is_dir():
            below = sorted(str(p) for p in Path(path).rglob("*") if p.suffix in SUFFIXES and p.is_file())
            if not below:
                raise ScenarioError(f"{path}: no scenarios (*.json, *.toml) in this directory")
            found += below
        else:
            found.append(path)
    return found


def kernel_refusal(scenario: Scenario) -> str | None:
    """Why a scenario is not for the kernel, if so."""
    if "nokernel" in scenario:
        return str(scenario["nokernel"]) or "nokernel"
    given = [key for key in NOT_OF_A_NAMESPACE if scenario.get("host", {}).get(key)]
    if given:
        return f"host.{given[0]}: the kernel of this machine is not set up for it"
    several = any("nexthops" in route for route in scenario.get("host", {}).get("routes", ()))
    sysctls = scenario.get("host", {}).get("sysctls", {})
    for family in (4, 6) if several else ():
        if str(sysctls.get(f"net.ipv{family}.fib_multipath_hash_policy", "")).strip() == "1":
            return "fib_multipath_hash_policy 1: nf_tables' trace gives each packet a hash that takes the place of this"
    return None
