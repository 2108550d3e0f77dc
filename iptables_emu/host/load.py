"""Hosts from files: TOML in the scenario's words, or a folder that ``snapshot`` made. The words are checked here."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from iptables_emu.host import extras, schema
from iptables_emu.host.fib import TABLES, realms
from iptables_emu.host.fingerprints import check_fingerprints
from iptables_emu.host.host import Host, HostError
from iptables_emu.host.locate import toml_line
from iptables_emu.host.schema import U8, U32, Check, Place
from iptables_emu.host.sockets import check_socket
from iptables_emu.host.sysctl_names import check_names
from iptables_emu.host.words import family_of_route
from iptables_emu.model.address import network

INTERFACE: Final = schema.keys(
    {
        "addresses": schema.list_of(schema.address_with_prefix),
        "mac": schema.mac,
        "mtu": schema.integer(68, 65535),
        "type": schema.one_of(("veth", "dummy", "bridge")),
        "ports": schema.list_of(schema.interface_name),
        "arp": schema.boolean,
        "down": schema.boolean,
        "carrier": schema.boolean,
        "group": U32,
    }
)


def sysctls_check(interfaces: Collection[str]) -> Check:
    """Sysctls by their dotted names, of a host with these interfaces."""
    value = schema.either(str, schema.text, schema.integer(-(1 << 63), 1 << 63))
    return schema.mapping(check_names(interfaces), value)


def check_realm(value: object, place: Place) -> None:
    """A route's realm: TO, or FROM/TO."""
    try:
        realms(str(value))
    except ValueError:
        raise place.error(f"{value!r} is no realm: a number of 0-255, or two as in '1/2'") from None


def check_table(value: object, place: Place) -> None:
    """A routing table: its number, or the name of one that every machine has."""
    if isinstance(value, str):
        if value in TABLES:
            return
        if not re.fullmatch(r"[0-9]{1,10}", value):
            raise place.error(f"{value!r} is no routing table: give its number, or one of {', '.join(TABLES)}")
        value = int(value)
    U32(value, place)


def check_rule(value: object, place: Place) -> None:
    """The words of ``ip rule add``."""
    schema.text(value, place)
    try:
        Host().add_rule(str(value))
    except HostError as error:
        raise place.error(str(error).removeprefix("host: ")) from None
    except ValueError:
        raise place.error(f"{value!r} is not understood: write as for ip rule, 'fwmark 0x1 lookup 100'") from None


def check_families(value: object, place: Place) -> None:
    """A route's addresses are all of one family, but for IPv4 by way of an IPv6 gateway; a nexthop needs a way."""
    route = schema.object_at(value, place)
    family = family_of_route(route)
    if "src" in route and network(str(route["src"]))[0] != family:
        raise place.key("src").error(f"{route['src']} is of another family than {route['dst']}")
    hops = route.get("nexthops")
    if hops is None:
        _check_way(route, place, family, must=route.get("type", "unicast") == "unicast")
        return
    if not isinstance(hops, list) or not hops or route.keys() & {"via", "dev"}:
        raise place.key("nexthops").error("stands in place of via and dev, and has one entry at least")
    for index, hop in enumerate(hops):
        _check_way(hop, place.key("nexthops").item(index), family, must=True)


def _check_way(way: dict[str, object], place: Place, family: int, *, must: bool) -> None:
    if "via" in way and family == 6 and ":" not in str(way["via"]):
        raise place.key("via").error(f"{way['via']} is of another family than the route")
    if must and "dev" not in way and "via" not in way:
        raise place.error("dev or via is missing")


def check_ports(interfaces: Mapping[str, Any]) -> Check:
    """The ports of bridges are interfaces of the host, each of one bridge."""

    def check(value: object, place: Place) -> None:
        taken: set[str] = set()
        for name, given in schema.object_at(value, place).items():
            for index, port in enumerate(given.get("ports", []) if isinstance(given, dict) else []):
                at = place.key(name).key("ports").item(index)
                if isinstance(given, dict) and given.get("type") != "bridge":
                    raise at.error(f"{name} is no bridge: give it type = 'bridge'")
                if port not in interfaces or port in (name, "lo"):
                    raise at.error(f"the host has no interface {port!r} to be a port")
                if port in taken:
                    raise at.error(f"{port!r} is a port already")
                taken.add(port)

    return check


def route_check(device: Check) -> Check:
    """A route, whose devices are checked by ``device``."""
    way: dict[str, Check] = {"via": schema.address, "dev": device, "onlink": schema.boolean}
    route_keys = schema.keys(
        {
            **way,
            "dst": schema.destination,
            "nexthops": schema.list_of(schema.keys({**way, "weight": schema.integer(1, 256)})),
            "src": schema.address,
            "table": check_table,
            "scope": schema.either(str, schema.text, U8),
            "metric": U32,
            "mtu": schema.integer(68, 65535),
            "mtu_lock": schema.boolean,
            "tos": U8,
            "realm": check_realm,
            "type": schema.one_of(
                ("unicast", "local", "broadcast", "multicast", "throw", "unreachable", "prohibit", "blackhole")
            ),
        },
        required=("dst",),
    )

    def route(value: object, place: Place) -> None:
        route_keys(value, place)
        check_families(value, place)

    return route


def host_check(interfaces: Mapping[str, Any]) -> Check:
    """The ``host`` of a scenario that has these interfaces."""
    device = device_check(interfaces)
    route = route_check(device)
    neighbour = schema.keys({"dst": schema.address, "mac": schema.mac, "dev": device}, required=("dst", "mac", "dev"))
    return schema.keys(
        {
            "interfaces": schema.all_of(schema.mapping(schema.interface_name, INTERFACE), check_ports(interfaces)),
            "routes": schema.list_of(route),
            "rules": schema.list_of(check_rule),
            "neighbours": schema.list_of(neighbour),
            "sysctls": sysctls_check(interfaces),
            "ipsets": schema.text,
            "queue": schema.mapping(check_queue_number, extras.LISTENER),
            "cpu": schema.U16,
            "audit": schema.boolean,
            "osf": check_fingerprints,
            "nfacct": schema.mapping(extras.check_account_name, extras.ACCOUNT),
            "sockets": schema.list_of(check_socket()),
            "cgroups": schema.list_of(schema.text),
            "ipsec": schema.list_of(extras.IPSEC),
            "ipvs": schema.list_of(extras.IPVS),
        }
    )


def check_queue_number(value: object, place: Place) -> None:
    """The number of a queue; keys are always texts."""
    if not re.fullmatch(r"[0-9]{1,5}", str(value)) or int(str(value)) > 65535:
        raise place.key(str(value)).error("is not a queue number")


def device_check(interfaces: Collection[str]) -> Check:
    """One of these interfaces, or lo."""

    def check(name: object, place: Place) -> None:
        schema.text(name, place)
        if name != "lo" and name not in interfaces:
            known = ", ".join(sorted({*interfaces, "lo"}))
            raise place.error(f"the host has no interface {name!r}; it has {known}")

    return check


def load_host(path: str) -> Host:
    """The host of a TOML file or a snapshot. Raises HostError with file and key, and line where there is one."""
    if Path(path).is_dir():
        from iptables_emu.host.snapshot import load_snapshot

        try:
            return load_snapshot(Path(path))
        except HostError:
            raise
        except OSError as error:
            raise HostError(f"{error.filename}: {error.strerror}") from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise HostError(f"{path}: not what the commands of snapshot print ({error!r})") from None
    try:
        content = Path(path).read_text(encoding="utf-8")
        data = tomllib.loads(content)
    except OSError as error:
        raise HostError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise HostError(f"{path}: byte {error.start + 1}: not UTF-8 text; a host is a TOML file") from None
    except RecursionError:
        raise HostError(f"{path}: nested too deep") from None
    except ValueError as error:  # TOML's, and numbers of more digits than Python reads
        raise HostError(f"{path}: {error}") from None
    place = Place(path)
    if isinstance(data.get("sysctls"), dict):
        data["sysctls"] = _dotted(data["sysctls"])
    try:
        interfaces = schema.object_at(data.get("interfaces", {}), place.key("interfaces"))
        _read_fingerprints(data, place)
        host_check(interfaces)(data, place)
        return build_host(data, place)
    except schema.SchemaError as error:
        raise HostError(str(error.on_line(partial(toml_line, content)))) from None


def build_host(data: Mapping[str, Any], place: Place) -> Host:
    """A host of checked words. What only the whole host can tell is wrong raises SchemaError."""
    try:
        return Host.from_dict(data)
    except HostError as error:
        raise Place(place.source, (*place.steps, *error.steps)).error(str(error)) from None
    except ValueError as error:
        raise place.error(str(error)) from None


def _read_fingerprints(data: dict[str, Any], place: Place) -> None:
    """``osf_file`` names a file beside the host's: its lines take its place, as ``osf``."""
    if "osf_file" not in data:
        return
    name = data.pop("osf_file")
    schema.text(name, place.key("osf_file"))
    path = Path(place.source).parent / str(name)
    try:
        data["osf"] = path.read_text(encoding="latin-1")
        check_fingerprints(data["osf"], Place(str(path)))
    except OSError as error:
        raise place.key("osf_file").error(f"{path}: {error.strerror}") from None


def _dotted(table: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """``net.ipv4.ip_forward = 1`` without quotes is a table within tables: its dotted name again."""
    out: dict[str, Any] = {}
    for key, value in table.items():
        out |= _dotted(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
    return out
