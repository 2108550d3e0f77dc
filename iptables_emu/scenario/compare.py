"""Observations of the kernel and of the emulator against each other, in readable lines."""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from typing import Any, Final

from iptables_emu.packet.build import ICMP
from iptables_emu.packet.describe import describe_frame
from iptables_emu.scenario.fields import ETHERNET, fragment_ids, without_clock, without_flow_label, without_fragment_id
from iptables_emu.scenario.randomness import Randomness

Observation = dict[str, Any]
Scenario = dict[str, Any]
Step = dict[str, Any]

LISTS: Final = ("packets", "trace", "waypoints", "emitted", "log")
ERRORS_MASKED: Final = (3, 5, 11, 12)
IP_ID: Final = re.compile(r" id \d+")
LOG_ID: Final = re.compile(r" ID=\d+")
TIMEOUT: Final = re.compile(r"^((?:ipv\S+ +\d+ )?\w+ +\d+ |)\d+ ")
EVENT_TIMEOUT: Final = re.compile(r"^(\s*\[\w+\] (?:\w+ +\d+ (?!proto=))?)(\d+) (?=[A-Z]|src=|proto=)")
OF_THE_PROGRAM: Final = re.compile(r" \[USERSPACE\].*")
USE: Final = re.compile(r" use=\d+")
FLOW_LABEL: Final = re.compile(r"FLOWLBL=\d+")
LOG_CLOCK: Final = re.compile(r"^\S*\[\s*\d+\.\d+\]\s*")
TCP_SEQUENCE: Final = slice(4, 8)
SHOWN: Final = 12
DRAWS: Final = 64  # of the key of multipath routes


# -- what differs between any two runs ---------------------------------------------------------------


def normalise(observation: Observation) -> Observation:
    """A copy without what differs between two runs: IP ids the host chose, timeouts, order numbers."""
    out = copy.deepcopy(observation)
    for step in out["steps"]:
        for key in LISTS:
            step[key] = step.get(key) or []
        own = own_packets(step)
        for item in (*step["trace"], *step["waypoints"]):
            item.pop("seq", None)  # the reply of REJECT runs before (nft) or behind (legacy) its rule's line
            if item.get("packet") in own:
                item["packet_hex"] = mask_ids(bytes.fromhex(item.get("packet_hex", ""))).hex()
                item["header"] = IP_ID.sub(" id *", item.get("header", ""))
        for packet in step["packets"]:
            if packet["id"] in own:
                packet["seen"] = IP_ID.sub(" id *", packet.get("seen", ""))
        for frame in step["emitted"] if own else ():
            data = bytes.fromhex(frame["frame_hex"])
            frame["frame_hex"] = (data[:ETHERNET] + mask_ids(data[ETHERNET:])).hex()
            frame["summary"] = IP_ID.sub(" id *", frame.get("summary", ""))
        step["log"] = [LOG_ID.sub(" ID=*", line) for line in step["log"] if "OUT=" in line]  # martians are rationed
        for key in ("conntrack", "expectations"):
            if key in step:
                step[key] = [TIMEOUT.sub(r"\1T ", line) for line in step[key]]
        step.pop("snmp", None)
    if "events" in out:
        out["events"] = [OF_THE_PROGRAM.sub("", line) for line in out["events"]]
    return out


def own_packets(step: Step) -> set[int]:
    """The packets the host itself sent, also where they come back by lo."""
    own: set[int] = set()
    for packet in step["packets"]:
        if packet["path"][:1] == ["OUTPUT"] or packet.get("looped_from") in own:
            own.add(packet["id"])
    return own


def mask_ids(packet: bytes) -> bytes:
    """An IPv4 packet with id and header checksum zeroed, also in the packet that an ICMP error quotes."""
    if len(packet) < 12 or packet[0] >> 4 != 4:
        return packet
    packet = packet[:4] + bytes(2) + packet[6:10] + bytes(2) + packet[12:]
    body = (packet[0] & 15) * 4
    if packet[9] == ICMP and len(packet) > body and packet[body] in ERRORS_MASKED:
        return packet[: body + 2] + bytes(2) + packet[body + 4 : body + 8] + mask_ids(packet[body + 8 :])
    return packet


# -- differences --------------------------------------------------------------------------------------


def differences(kernel: Observation, emulated: Observation, scenario: dict[str, Any]) -> list[str]:
    """One line for each thing in which the emulator's observation is not the kernel's; empty if they agree."""
    mine, theirs = normalise(kernel), normalise(emulated)
    if mine["load"]["rc"] != theirs["load"]["rc"]:
        return [f"load: {_load(mine['load'], 'kernel')}; {_load(theirs['load'], 'emulator')}"]
    random = Randomness(scenario)
    found: list[str] = []
    if len(mine["steps"]) != len(theirs["steps"]):
        found.append(f"steps: kernel {len(mine['steps'])}, emulator {len(theirs['steps'])}")
    steps = scenario.get("steps", []) or [{} for _ in mine["steps"]]
    known = fragment_ids(scenario)
    opens_sockets = any("listen" in step or "connect" in step for step in steps)
    opens_sockets |= "SYNPROXY" in str(scenario.get("rulesets"))  # its cookies are made up as TCP's numbers are
    for number, (one, other, step) in enumerate(zip(mine["steps"], theirs["steps"], steps, strict=False), 1):
        if not step.keys() & {"inject", "send_local"}:
            random.forget()  # connections may have ended
        lines = _step_differences(one, other, random, opens_sockets, known)
        found += [f"step {number} {line}" for line in lines]
    for number, (one, other) in enumerate(zip_longest(mine.get("events", []), theirs.get("events", [])), 1):
        if one is None or other is None or not _same_event(one, other, random):
            found.append(f"event {number}: {_versus(one, other)}")
    for key in ("save", "save6"):
        found += _text_differences(key, mine.get(key) or "", theirs.get(key) or "")
    return found


def _same_event(one: str, other: str, random: Randomness) -> bool:
    """Whether two events are the same; a second may have begun to run between cause and message."""
    mine, theirs = (EVENT_TIMEOUT.match(line) for line in (one, other))
    if mine and theirs and abs(int(mine.group(2)) - int(theirs.group(2))) <= 1:
        one, other = (EVENT_TIMEOUT.sub(r"\1", line) for line in (one, other))
    return random.lines_agree(one, other)


def compared(kernel: Observation, emulator: Callable[[Scenario], Observation], scenario: Scenario) -> list[str]:
    """The differences of the emulator's run from the kernel's.

    Where the kernel's key for choosing among ways is not known, the emulator draws others until one does as the kernel
    did: what the kernel showed must be among what can be.
    """
    lines = differences(kernel, emulator(scenario), scenario)
    for seed in range(1, DRAWS) if lines and chooses_by_unknown_key(scenario) else ():
        if not differences(kernel, emulator({**scenario, "seed": seed}), scenario):
            return []
    return lines


def chooses_by_unknown_key(scenario: Scenario) -> bool:
    """Whether it has routes of several ways, and no fib_multipath_hash_seed."""
    host = scenario.get("host", {})
    seeded = str(host.get("sysctls", {}).get("net.ipv4.fib_multipath_hash_seed", "0")).strip() != "0"
    return not seeded and any("nexthops" in route for route in host.get("routes", ()))


def _load(load: dict[str, Any], who: str) -> str:
    words = " ".join(str(load.get("stderr", "")).split())
    return f"{who} rc {load['rc']}" + (f" ({words})" if words else "")


def _step_differences(
    kernel: Step, emulated: Step, random: Randomness, opens_sockets: bool, known: frozenset[bytes]
) -> Iterator[str]:
    yield from _packet_differences(kernel["packets"], emulated["packets"])
    yield from _trace_differences(kernel["trace"], emulated["trace"])
    yield from _frame_differences(kernel, emulated, random, opens_sockets, known)
    for key in ("log", "conntrack", "expectations"):
        mine, theirs = (_plain_lines(step.get(key) or []) for step in (kernel, emulated))
        if key == "expectations":
            mine, theirs = sorted(mine), sorted(theirs)  # the kernel's hash has its own order
        for number, (one, other) in enumerate(zip_longest(mine, theirs), 1):
            if one is None or other is None or not random.lines_agree(one, other):
                yield f"{key} {number}: {_versus(one, other)}"


def _plain_lines(lines: Iterable[str]) -> list[str]:
    return [FLOW_LABEL.sub("FLOWLBL=*", USE.sub("", LOG_CLOCK.sub("", line))) for line in lines]


def _packet_differences(kernel: list[Step], emulated: list[Step]) -> Iterator[str]:
    for number, (one, other) in enumerate(zip_longest(kernel, emulated), 1):
        if one is None or other is None:
            there = one or other
            yield f"packet {number}: only the {'kernel' if one else 'emulator'} has {there.get('seen') or 'it'}"
            continue
        for key, mine, theirs in (
            ("fate", one["fate"], other["fate"]),
            ("path", " > ".join(one["path"]), " > ".join(other["path"])),
            ("looped from", one.get("looped_from"), other.get("looped_from")),
        ):
            if mine != theirs:
                yield f"packet {number} {key}: {_versus(mine, theirs)}"


def _trace_differences(kernel: list[Step], emulated: list[Step]) -> Iterator[str]:
    """Whole traversals that only one has, and the first event that differs of the others."""
    places = [[_place(traversal) for traversal in trace] for trace in (kernel, emulated)]
    matcher = difflib.SequenceMatcher(None, places[0], places[1], autojunk=False)
    for what, first, last, start, end in matcher.get_opcodes():
        if what == "equal":
            for one, other in zip(kernel[first:last], emulated[start:end], strict=True):
                yield from _event_differences(one, other)
            continue
        yield from (f"{place}: only the kernel goes there" for place in places[0][first:last])
        yield from (f"{place}: only the emulator goes there" for place in places[1][start:end])


def _place(traversal: Step) -> str:
    return f"packet {traversal['packet']} {traversal['table']} {traversal['hook']}"


def _event_differences(kernel: Step, emulated: Step) -> Iterator[str]:
    place = _place(kernel)
    pairs = zip_longest(map(_event, kernel["events"]), map(_event, emulated["events"]))
    for number, (one, other) in enumerate(pairs, 1):
        if one != other:
            sides = (kernel["events"], emulated["events"])
            rule = next((events[number - 1].get("rule") for events in sides if number <= len(events)), None)
            yield f"{place} event {number}: {_versus(one, other)}" + (f" [{rule}]" if rule else "")
            return
    if kernel["verdict"] != emulated["verdict"]:
        yield f"{place} verdict: {_versus(kernel['verdict'], emulated['verdict'])}"


def _event(event: dict[str, Any]) -> str:
    index = "" if event["index"] is None else f" {event['index']}"
    return f"{event['chain']} {event['kind']}{index} {event['verdict']}"


def _frame_differences(
    kernel: Step, emulated: Step, random: Randomness, opens_sockets: bool, known: frozenset[bytes]
) -> Iterator[str]:
    from_host = bool(own_packets(kernel))
    for number, (one, other) in enumerate(zip_longest(kernel["emitted"], emulated["emitted"]), 1):
        if one is None or other is None:
            yield f"emitted {number}: {_versus(_frame_line(one), _frame_line(other))}"
            continue
        mine, theirs = (
            without_fragment_id(_plain_frame(frame, from_host, opens_sockets), known) for frame in (one, other)
        )
        if one["iface"] == other["iface"] and random.frames_agree(mine, theirs):
            continue
        line = f"emitted {number}: {_versus(_frame_line(one), _frame_line(other))}"
        yield line + (f"; {differing_bytes(mine, theirs)}" if mine != theirs else "")


def _plain_frame(emitted: dict[str, Any], from_host: bool, opens_sockets: bool) -> bytes:
    frame = without_clock(bytes.fromhex(emitted["frame_hex"]))
    if from_host:
        frame = without_flow_label(frame)
    return without_sequence(frame) if from_host and opens_sockets else frame


def without_sequence(frame: bytes) -> bytes:
    """A SYN of a socket of the host without what TCP makes up: sequence number, timestamp and checksum."""
    ipv6 = frame[12:14] == b"\x86\xdd"
    if len(frame) < ETHERNET + 20 or frame[ETHERNET + (6 if ipv6 else 9)] != 6:
        return frame
    at = ETHERNET + (40 if ipv6 else (frame[ETHERNET] & 15) * 4)
    header = bytearray(frame[at:])
    if len(header) < 20 or not header[13] & 2:
        return frame
    header[TCP_SEQUENCE] = bytes(4)
    header[16:18] = bytes(2)
    stamp = header.find(b"\x08\x0a", 20)  # the timestamp option
    if stamp >= 0:
        header[stamp + 2 : stamp + 6] = bytes(4)
    return frame[:at] + bytes(header)


def _frame_line(frame: dict[str, Any] | None) -> str | None:
    return f"{frame['iface']} {describe_frame(bytes.fromhex(frame['frame_hex']))}" if frame else None


def differing_bytes(kernel: bytes, emulated: bytes) -> str:
    """Where two frames differ, counted from the IP header (negative: in the Ethernet header)."""
    if len(kernel) != len(emulated):
        return f"{len(kernel) - ETHERNET} or {len(emulated) - ETHERNET} bytes"
    runs: list[list[int]] = []
    for at, (one, other) in enumerate(zip(kernel, emulated, strict=True)):
        if one != other:
            if runs and runs[-1][1] == at:
                runs[-1][1] = at + 1
            else:
                runs.append([at, at + 1])
    told = [f"{a - ETHERNET}: {kernel[a:b].hex()} or {emulated[a:b].hex()}" for a, b in runs[:SHOWN]]
    return "bytes from " + ", ".join(told) + (" ..." if len(runs) > SHOWN else "")


def _versus(kernel: object, emulated: object) -> str:
    mine, theirs = ("nothing" if side is None else side for side in (kernel, emulated))
    return f"kernel {mine}; emulator {theirs}"


def _text_differences(key: str, kernel: str, emulated: str) -> list[str]:
    """The lines of two texts that are not the same."""
    mine, theirs = kernel.splitlines(), emulated.splitlines()
    matcher = difflib.SequenceMatcher(None, mine, theirs, autojunk=False)
    found = []
    for what, first, last, start, end in matcher.get_opcodes():
        if what != "equal":
            pairs = zip_longest(mine[first:last], theirs[start:end])
            found += [f"{key}: {_versus(one, other)}" for one, other in pairs]
    return found
