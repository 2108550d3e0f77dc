"""Hosts from files: TOML in the scenario's words, or a folder that ``snapshot`` made."""

from __future__ import annotations

import tomllib
from pathlib import Path

from iptables_emu.host.host import Host, HostError


def load_host(path: str) -> Host:
    """The host of a TOML file or a snapshot. Raises HostError with file, and line where there is one."""
    if Path(path).is_dir():
        from iptables_emu.host.snapshot import load_snapshot

        return load_snapshot(Path(path))
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise HostError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise HostError(f"{path}: not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise HostError(f"{path}: {error}") from None
    unknown = set(data) - {"interfaces", "routes", "rules", "neighbours", "sysctls", "ipsets", "queue"}
    if unknown:
        raise HostError(f"{path}: unknown key {sorted(unknown)[0]!r}")
    try:
        return Host.from_dict(data)
    except ValueError as error:
        raise HostError(f"{path}: {error}") from None
