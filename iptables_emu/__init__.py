"""iptables without a kernel: load real rules, send a packet, see the whole way it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iptables_emu.emulator import Emulator
    from iptables_emu.host.host import Host
    from iptables_emu.model.ruleset import Ruleset
    from iptables_emu.packet.packet import Packet

__all__ = ["Emulator", "Host", "Packet", "Ruleset"]

_HOME = {"Emulator": "iptables_emu.emulator", "Host": "iptables_emu.host.host",
         "Packet": "iptables_emu.packet.packet", "Ruleset": "iptables_emu.model.ruleset"}  # fmt: skip


def __getattr__(name: str) -> Any:
    """The four public names, imported when first used: one command must not load them all."""
    if name not in _HOME:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)
