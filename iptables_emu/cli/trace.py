"""``iptables-sim trace``: one packet through the rules, and its whole way told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from iptables_emu.cli.state import BadOption, Globals
from iptables_emu.cli.streams import read_input, write
from iptables_emu.cli.ways import MOST_WAYS, Way, exit_status, ways
from iptables_emu.conntrack.core import Conntrack
from iptables_emu.conntrack.listing import ListingError
from iptables_emu.conntrack.table import SECOND
from iptables_emu.emulator import Emulator
from iptables_emu.engine.routing import Routing
from iptables_emu.host.host import Host, HostError
from iptables_emu.host.ipset.sets import IpSets
from iptables_emu.host.load import load_host
from iptables_emu.host.place import place
from iptables_emu.model.address import show
from iptables_emu.model.ruleset import Ruleset
from iptables_emu.packet.packet import Malformed, Packet
from iptables_emu.packet.printable import printable
from iptables_emu.packet.spec import PacketError, PacketSpec, parse_packet
from iptables_emu.text.load import LoadError, load_dump
from iptables_emu.trace.render import render
from iptables_emu.trace.trace import Trace

BAD_INPUT = 2
MOST_SECONDS = 1e9  # some thirty years


class RulesError(Exception):
    """A dump cannot be loaded; the text says where and why."""


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
    unknown: str = ""  # match, miss or fork; "" stops where a match cannot be known
    keep: bool = False  # the connections, in the state
    sleep: float = 0.0  # seconds on the state's clock


def run_trace(request: Request, settings: Globals, stdout: TextIO, stderr: TextIO) -> int:
    """Exit status: 0 passed, 10 stopped, 20 unknown, 2 bad input."""
    from iptables_emu.store.state import StateError

    try:
        spec = parse_packet(request.words)
        packet = Packet.from_spec(spec)
        ruleset = load_rules(request, settings, packet.family)
        host = load_host(request.host) if request.host else None
        assumed = list(spec.assumed) if host is None else _placed(packet, host, spec)
        sets = load_sets_of_state(request, settings) if host is None else None
        begin = _connections(request, settings)
        found = list(ways(ruleset, host, packet, unknown=request.unknown, seed=request.seed, sets=sets, prepare=begin))
        _keep(request, settings, found)
    except OSError as error:
        return _complain(stderr, f"{error.filename}: {error.strerror}")
    except (RulesError, StateError, BadOption, PacketError, HostError, ListingError, Malformed) as error:
        return _complain(stderr, str(error))
    fmt = request.fmt or ("tree" if stdout.isatty() else "text")
    if fmt in ("tree", "text"):
        unknown = found[0].emulator.unknown
        write(stdout, _assumptions(assumed, found[0].notes, _other_way(packet, found[0].trace), unknown))
    texts = [render(way.trace, fmt, why=request.why, color=stdout.isatty()) for way in found]
    if fmt in ("tree", "text"):
        texts = [way.heading + text for way, text in zip(found, texts, strict=True)]
    if fmt == "json" and request.unknown == "fork":
        texts = ["[\n", ",\n".join(text.rstrip("\n") for text in texts), "\n]\n"]
        write(stdout, "".join(texts))
    else:
        write(stdout, "\n".join(texts))
    if len(found) == MOST_WAYS:
        write(stderr, f"iptables-sim: only the first {MOST_WAYS} ways are shown\n")
    return exit_status(found)


def _other_way(packet: Packet, trace: Trace) -> str:
    """The interface that was said, where the packet left by another."""
    out = {event.iface for event in trace.emitted if event.packet == trace.number}
    return packet.oif if out and packet.oif not in out else ""


def load_rules(request: Request, settings: Globals, family: int) -> Ruleset:
    """The rules of the dump, or those of the state. Raises RulesError, StateError, BadOption, OSError."""
    dump = request.dump
    if not dump and request.host and Path(request.host).is_dir():
        dump = str(Path(request.host) / ("iptables-save" if family == 4 else "ip6tables-save"))
    if dump:
        text = read_input() if dump == "-" else Path(dump).read_bytes().decode("utf-8", "surrogateescape")
        try:
            return load_dump(text, family, settings.backend, counters=request.counters, assume_sets=True)
        except LoadError as error:
            source = "standard input" if dump == "-" else dump
            raise RulesError(f"{source}{error.place}: {error.reason}") from None
    if settings.memory is not None:
        return settings.memory.rulesets[settings.backend]
    from iptables_emu.store.state import Store

    with Store(settings.state_file) as store:
        return store.load(settings.backend)


def load_sets_of_state(request: Request, settings: Globals) -> IpSets | None:
    """The ipsets of the state, where its rules are used, too. Raises StateError, BadOption."""
    if request.dump:
        return None
    if settings.memory is not None:
        return settings.memory.sets
    from iptables_emu.cli.ipset import stored_sets
    from iptables_emu.store.state import Store

    with Store(settings.state_file) as store:
        return stored_sets(store)


def _connections(request: Request, settings: Globals) -> Callable[[Emulator], None]:
    """How an emulator begins with the state's connections and clock: where its rules are used, too, or with --keep.

    Raises StateError, BadOption.
    """
    from iptables_emu.cli.connections import fill, now_of, stored

    if request.keep and request.unknown == "fork":
        raise BadOption("--keep: the connections of one way can be kept, not those of all that --unknown fork goes")
    if not 0 <= request.sleep < MOST_SECONDS:
        raise BadOption(f"--sleep {request.sleep:g}: say a number of seconds that the clock is to go on")
    kept = stored(settings) if request.keep or not (request.dump or request.host) else None

    def prepare(emulator: Emulator) -> None:
        if kept is not None:
            emulator.now = now_of(kept)
        emulator.now += int(request.sleep * SECOND)
        emulator.fill = bring

    def bring(core: Conntrack) -> None:
        now = core.now
        fill(core, kept)
        core.now = now
        core.expire()

    return prepare


def _keep(request: Request, settings: Globals, found: Sequence[Way]) -> None:
    """Raises StateError."""
    from iptables_emu.cli.connections import store_again

    engine = found[0].emulator.engine
    if request.keep and engine is not None:
        store_again(settings, engine.machine.conntrack)


def _placed(packet: Packet, host: Host, spec: PacketSpec) -> list[str]:
    """Settle where the packet starts on a given host; returns all that was assumed of the packet."""
    way_in = place(packet, host)
    if not packet.socket or not spec.assumes("src"):
        return [*spec.assumed, f"in {way_in}"] if way_in else list(spec.assumed)
    return [text for text in spec.assumed if not text.startswith("src ")] + _own_source(packet, host)


def _own_source(packet: Packet, host: Host) -> list[str]:
    """Give the packet the address that this host would take; it keeps the old one where the host has none."""
    probe = packet.copy()
    probe.set_src(0)
    own = Routing(host).output(probe).source(host, packet.dst)
    if own:
        packet.set_src(own)
    return [f"src {show(packet.src, packet.family)}"]


def _assumptions(assumed: Sequence[str], notes: Sequence[str], other_way: str, unknown: Sequence[str]) -> str:
    """What was not said but taken; ``other_way`` is the interface said where the packet left by another, ``unknown``
    what is not known of the connections."""
    lines = []
    if assumed:
        lines.append(f"packet: {', '.join(assumed)} (assumed)")
    if notes:
        lines.append(f"host:   {'; '.join(notes)} (assumed; give one with --host)")
    if other_way:
        lines.append(f"note:   -o {other_way} was said, but the host's routes lead elsewhere")
    lines += [f"note:   {text}" for text in unknown]
    return "".join(f"{printable(line)}\n" for line in lines) + "\n" * bool(lines)


def _complain(stderr: TextIO, message: str) -> int:
    write(stderr, f"iptables-sim: {printable(message)}\n")
    return BAD_INPUT
