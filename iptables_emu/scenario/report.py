"""An observation as text for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from iptables_emu.packet.printable import printable

TIMEOUT = re.compile(r"^(\S+ +\d+ +\w+ +\d+) \d+ ")


def observation_text(observation: dict[str, Any]) -> str:
    """Each step (packets, the rules they met, frames, log, conntrack where it is new), then the rulesets.

    The text is safe for a terminal.
    """
    if "error" in observation:
        return f"  {printable(observation['error'])}\n"
    return "".join(f"{printable(line)}\n" for line in _lines(observation))


def _lines(observation: dict[str, Any]) -> Iterator[str]:
    load = observation["load"]
    yield f"load: exit status {load['rc']}" + (f", {' '.join(load['stderr'].split())}" if load.get("stderr") else "")
    shown: set[str] = set()
    for number, step in enumerate(observation["steps"], 1):
        note = f" ({step['note']})" if step.get("note") else ""
        yield f"step {number}{note}"
        for packet in step["packets"]:
            yield f"  packet {packet['id']}: {packet['seen']}"
            yield f"    {' > '.join(packet['path'])}: {packet['fate']}"
            for traversal in step["trace"]:
                if traversal["packet"] == packet["id"]:
                    yield from _traversal_lines(traversal)
        yield from (f"  emitted {frame['iface']}: {frame['summary']}" for frame in step["emitted"])
        yield from (f"  invalid: {reason}" for reason in step.get("conntrack_invalid", []))
        yield from (f"  log: {line}" for line in step["log"])
        yield from (f"  expectation: {line}" for line in step.get("expectations", []))
        for line in step.get("conntrack", []):
            bare = TIMEOUT.sub(r"\1 ", line)
            if bare not in shown:
                yield f"  conntrack: {line}"
            shown.add(bare)
    for key in ("save", "save6"):
        yield from observation.get(key, "").splitlines()


def _traversal_lines(traversal: dict[str, Any]) -> Iterator[str]:
    yield f"    {traversal['table']} {traversal['hook']}: {traversal['verdict']}"
    for event in traversal["events"]:
        rule = event.get("rule") or f"{event['kind']} of {event['chain']}"
        index = f"{event['index']} " if event["index"] is not None else ""
        yield f"      {index}{rule} => {event['verdict']}"
