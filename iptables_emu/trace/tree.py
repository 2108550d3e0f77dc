"""The trace as a tree on a terminal. rich is imported only here, and only when a tree is asked for."""

from __future__ import annotations

import io
import shutil

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from iptables_emu.trace.lines import Line
from iptables_emu.trace.outline import Hook, Table, Way, outline
from iptables_emu.trace.trace import Trace

VERDICT_STYLES = {"ACCEPT": "bold green", "DROP": "bold red", "REJECT": "bold red", "UNKNOWN": "bold yellow",
                  "STOLEN": "bold magenta", "QUEUE": "bold magenta", "RETURN": "cyan"}  # fmt: skip
KIND_STYLES = {"skip": "dim", "count": "dim", "end": "dim", "rewrite": "cyan", "conntrack": "blue", "log": "yellow",
               "note": "italic", "drop": "red", "link": "magenta", "route": "blue", "sent": "green"}  # fmt: skip


def render_tree(trace: Trace, *, why: bool = False, color: bool = False, width: int | None = None) -> str:
    """The tree, and below it the verdict. Texts never pass through rich's markup."""
    columns = width or shutil.get_terminal_size((100, 24)).columns
    out = io.StringIO()
    console = Console(
        file=out, width=max(columns, 20), force_terminal=color, no_color=not color, highlight=False, markup=False,
        emoji=False, color_system="standard" if color else None, legacy_windows=False, _environ={},
    )  # fmt: skip
    whole = outline(trace, why)
    for way in whole.ways:
        console.print(_way(way))
    console.print(_ending(whole.ending.verdict, whole.ending.text), overflow="fold")
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _ending(verdict: str, text: str) -> Text:
    return Text.assemble((verdict, VERDICT_STYLES.get(verdict, "")), "  ", text, overflow="fold")


def _way(way: Way) -> Tree:
    tree = Tree(_joined((f"packet {way.number}", "bold"), way.heading), guide_style="dim")
    for item in way.items:
        if isinstance(item, Hook):
            _hook(item, tree)
        else:
            tree.add(_line(item))
    for child in way.children:
        branch = _way(child)
        branch.add(_ending(child.ending.verdict, child.ending.text))
        tree.children.append(branch)
    return tree


def _hook(hook: Hook, tree: Tree) -> None:
    branch = tree.add(_joined((hook.name, "bold"), hook.ways))
    for item in hook.items:
        if not isinstance(item, Table):
            branch.add(_line(item))
        elif item.quiet:
            branch.add(_joined((item.name, ""), (f"policy {item.lines[0].verdict}", "dim")))
        else:
            _table(item, branch)


def _table(table: Table, hook: Tree) -> None:
    branches = [hook.add(_joined((table.name, "bold")))]
    for line in table.lines:
        del branches[line.depth + 1 :]
        leaf = branches[-1].add(_line(line))
        branches.append(leaf)


def _joined(*parts: str | tuple[str, str]) -> Text:
    text = Text(overflow="fold")
    for number, part in enumerate(parts):
        content, style = part if isinstance(part, tuple) else (part, "")
        text.append("  " if number and content else "").append(content, style)
    return text


def _line(line: Line) -> Text:
    style = KIND_STYLES.get(line.kind, "")
    text = Text(overflow="fold")
    text.append(f"{line.label} " if line.label else "", style or "dim")
    text.append(" " if line.label else "").append(line.text, style)
    if line.verdict:
        text.append("  => ").append(line.verdict, VERDICT_STYLES.get(line.verdict, ""))
    if line.detail:
        text.append("\n  ").append(line.detail, "dim")
    return text
