"""``iptables-sim trace``: one packet through the rules, and its whole way told."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from iptables_emu.cli.state import Globals, write
from iptables_emu.emulator import Emulator
from iptables_emu.host.host import Host, HostError
from iptables_emu.host.load import load_host
from iptables_emu.model.ruleset import Ruleset
from iptables_emu.packet.packet import Malformed, Packet
from iptables_emu.packet.printable import printable
from iptables_emu.packet.spec import PacketError, parse_packet
from iptables_emu.text.load import LoadError, load_dump
from iptables_emu.trace.render import render

BAD_INPUT = 2


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for. ``fmt`` "" is the tree on a terminal and text elsewhere."""

    words: Sequence[str]
    dump: str = ""
    host: str = ""
    fmt: str = ""
    why: bool = False
    counters: bool = False
    seed: int = 0


def run_trace(request: Request, settings: Globals, stdout: TextIO, stderr: TextIO) -> int:
    """Exit status: 0 passed, 10 stopped, 20 unknown, 2 bad input."""
    try:
        spec = parse_packet(request.words)
        packet = Packet.from_spec(spec)
        ruleset = load_rules(request, settings, packet.family)
        host = load_host(request.host) if request.host else None
        if host is not None:
            _place(packet, host, spec.assumes("src"))
        emulator = Emulator(ruleset, host, seed=request.seed)
        trace = emulator.send(packet)
    except PacketError as error:
        return _complain(stderr, str(error))
    except LoadError as error:
        return _complain(stderr, f"{request.dump}{error.place}: {error.reason}")
    except OSError as error:
        return _complain(stderr, f"{error.filename}: {error.strerror}")
    except (HostError, Malformed, ValueError) as error:
        return _complain(stderr, str(error))
    fmt = request.fmt or ("tree" if stdout.isatty() else "text")
    if fmt in ("tree", "text"):
        _assumptions(stdout, spec.assumed, emulator.notes)
    write(stdout, render(trace, fmt, why=request.why, color=stdout.isatty()))
    return trace.exit_status


def load_rules(request: Request, settings: Globals, family: int) -> Ruleset:
    """The rules of the dump, or those of the state."""
    dump = request.dump
    if not dump and request.host and Path(request.host).is_dir():
        dump = str(Path(request.host) / ("iptables-save" if family == 4 else "ip6tables-save"))
    if dump:
        if dump == "-":
            text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
        else:
            text = Path(dump).read_text(encoding="utf-8", errors="surrogateescape")
        return load_dump(text, family, settings.backend, counters=request.counters)
    from iptables_emu.store.state import StateError, Store

    try:
        with Store(settings.state) as store:
            return store.load(settings.backend)
    except StateError as error:
        raise ValueError(str(error)) from None


def _place(packet: Packet, host: Host, source_assumed: bool) -> None:
    """Where a packet of a given host starts: the interface said, else this host or the way back to its source."""
    if packet.socket or (packet.oif and not packet.iif) or host.owns(packet.src, packet.family):
        packet.socket = True
        return
    if not packet.iif:
        found = host.fibs[packet.family].lookup(packet.src)
        packet.iif = found.route.dev if found.route and found.route.dev else ""
    if packet.iif not in host.interfaces:
        known = ", ".join(n for n in host.interfaces)
        raise HostError(f"the host has no interface {packet.iif or '(say -i)'}; it has {known}")


def _assumptions(stdout: TextIO, assumed: Sequence[str], notes: Sequence[str]) -> None:
    lines = []
    if assumed:
        lines.append(f"packet: {', '.join(assumed)} (assumed)")
    if notes:
        lines.append(f"host:   {'; '.join(notes)} (assumed; give one with --host)")
    if lines:
        write(stdout, "".join(f"{printable(line)}\n" for line in lines) + "\n")


def _complain(stderr: TextIO, message: str) -> int:
    write(stderr, "".join(f"iptables-sim: {printable(line)}\n" for line in message.splitlines() if line))
    return BAD_INPUT
