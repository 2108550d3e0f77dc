"""Hosts from files: TOML in the scenario's words, or a folder that ``snapshot`` made. The words are checked here."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Final

from iptables_emu.host import schema
from iptables_emu.host.host import Host, HostError
from iptables_emu.host.schema import U8, U32, Check, Place

SYSCTLS: Final = schema.mapping(schema.text, schema.either(str, schema.text, schema.integer(-(1 << 63), 1 << 63)))
INTERFACE: Final = schema.keys(
    {
        "addresses": schema.list_of(schema.address_with_prefix),
        "mac": schema.mac,
        "mtu": schema.integer(68, 65535),
        "type": schema.one_of(("veth", "dummy")),
        "arp": schema.boolean,
        "down": schema.boolean,
    }
)


def host_check(device: Check) -> Check:
    """The ``host`` of a scenario, whose devices are checked by ``device``."""
    route = schema.keys(
        {
            "dst": schema.destination,
            "via": schema.address,
            "dev": device,
            "src": schema.address,
            "table": schema.either(str, schema.text, U32),
            "scope": schema.either(str, schema.text, U8),
            "metric": U32,
            "type": schema.one_of(
                ("unicast", "local", "broadcast", "multicast", "throw", "unreachable", "prohibit", "blackhole")
            ),
        },
        required=("dst",),
    )
    neighbour = schema.keys({"dst": schema.address, "mac": schema.mac, "dev": device}, required=("dst", "mac", "dev"))
    return schema.keys(
        {
            "interfaces": schema.mapping(schema.interface_name, INTERFACE),
            "routes": schema.list_of(route),
            "rules": schema.list_of(schema.text),
            "neighbours": schema.list_of(neighbour),
            "sysctls": SYSCTLS,
            "ipsets": schema.text,
            "queue": schema.mapping(check_queue_number, schema.one_of(("accept", "drop"))),
        }
    )


def check_queue_number(value: object, place: Place) -> None:
    """The number of a queue; keys are always texts."""
    if not str(value).isdecimal() or int(str(value)) > 65535:
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

        return load_snapshot(Path(path))
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise HostError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise HostError(f"{path}: byte {error.start + 1}: not UTF-8 text; a host is a TOML file") from None
    except RecursionError:
        raise HostError(f"{path}: nested too deep") from None
    except ValueError as error:  # TOML's, and numbers of more digits than Python reads
        raise HostError(f"{path}: {error}") from None
    place = Place(path)
    interfaces = schema.object_at(data.get("interfaces", {}), place.key("interfaces"))
    host_check(device_check(interfaces))(data, place)
    try:
        return Host.from_dict(data)
    except ValueError as error:
        raise HostError(f"{path}: {error}") from None
