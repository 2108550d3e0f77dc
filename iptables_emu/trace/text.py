"""The trace in plain text, for pipes and files."""

from __future__ import annotations

from collections.abc import Iterator

from iptables_emu.trace.lines import Line
from iptables_emu.trace.outline import Hook, Table, Way, outline
from iptables_emu.trace.trace import Trace

LABEL = 10  # columns of the first word of a line


def render_text(trace: Trace, *, why: bool = False) -> str:
    """Indented lines; the last one is the verdict and where the packet went."""
    whole = outline(trace, why)
    lines = [line for way in whole.ways for line in _way(way, "")]
    lines.append(f"{whole.ending.verdict}  {whole.ending.text}")
    return "\n".join(lines) + "\n"


def _way(way: Way, indent: str) -> Iterator[str]:
    yield f"{indent}packet {way.number}: {way.heading}"
    inner = indent + "  "
    for item in way.items:
        yield from _hook(item, inner) if isinstance(item, Hook) else _line(item, inner)
    for child in way.children:
        yield from _way(child, inner)
        yield f"{inner}  packet {child.number}: {child.ending.verdict}  {child.ending.text}"


def _hook(hook: Hook, indent: str) -> Iterator[str]:
    yield f"{indent}{hook.name}  {hook.ways}".rstrip()
    for item in hook.items:
        yield from _table(item, indent + "  ") if isinstance(item, Table) else _line(item, indent + "  ")


def _table(table: Table, indent: str) -> Iterator[str]:
    if table.quiet:
        yield f"{indent}{table.name:<{LABEL}}policy {table.lines[0].verdict}"
        return
    yield f"{indent}{table.name}"
    for line in table.lines:
        yield from _line(line, indent + "  ")


def _line(line: Line, indent: str) -> Iterator[str]:
    indent += "  " * line.depth
    verdict = f"  => {line.verdict}" if line.verdict else ""
    yield f"{indent}{line.label:<{LABEL - 1}} {line.text}{verdict}"
    if line.detail:
        yield f"{indent}{'':<{LABEL}}  {line.detail}"
