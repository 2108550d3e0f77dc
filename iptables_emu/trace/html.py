"""The trace as one HTML page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from iptables_emu.trace.lines import Line
from iptables_emu.trace.outline import Hook, Table, Way, outline
from iptables_emu.trace.trace import Trace

STYLE: Final = """
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:72em;padding:0 1em}
code{font:13px/1.5 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
details,.packet{margin:.2em 0 .2em .6em;padding-left:.8em;border-left:1px solid #8886}
summary{cursor:pointer}
.line{display:flex;gap:.8em}.line>b{flex:0 0 6.5em;font-weight:400;opacity:.65}
.detail{opacity:.7;padding-left:7.3em}.skip,.count,.end,.dim{opacity:.6}.note{font-style:italic}
.rewrite{color:#0a7d8c}.route,.conntrack{color:#3465c8}.log{color:#9a6b00}
.accept{color:#178a3c}.drop,.reject{color:#cc2a2a}.unknown{color:#9a6b00}.stolen,.queue{color:#9040b0}
.final{font-size:1.15em;margin:1em 0}.final b,.verdict{font-weight:700}
"""


def render_html(trace: Trace, *, why: bool = False) -> str:
    """The page."""
    whole = outline(trace, why)
    title = escape(f"{whole.ending.verdict} {whole.ending.text}")
    body = "\n".join(part for way in whole.ways for part in _way(way))
    final = _final(whole.ending.verdict, whole.ending.text)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{final}\n{body}\n</body>\n</html>\n"
    )


def _final(verdict: str, text: str) -> str:
    return f'<p class="final"><b class="{verdict.lower()}">{escape(verdict)}</b> {escape(text)}</p>'


def _way(way: Way) -> Iterator[str]:
    yield f'<section class="packet" id="packet{way.number}">'
    yield f"<p><b>packet {way.number}</b> <code>{escape(way.heading)}</code></p>"
    for item in way.items:
        yield from _hook(item) if isinstance(item, Hook) else _line(item)
    for child in way.children:
        yield from _way(child)
        yield _final(child.ending.verdict, child.ending.text)
    yield "</section>"


def _hook(hook: Hook) -> Iterator[str]:
    yield f"<details open><summary><b>{escape(hook.name)}</b> {escape(hook.ways)}</summary>"
    for item in hook.items:
        yield from _table(item) if isinstance(item, Table) else _line(item)
    yield "</details>"


def _table(table: Table) -> Iterator[str]:
    if table.quiet:
        policy = escape(table.lines[0].verdict)
        yield f'<div class="line dim"><b>{escape(table.name)}</b><span>policy {policy}</span></div>'
        return
    yield f"<details open><summary>{escape(table.name)}</summary>"
    for line in table.lines:
        yield from _line(line)
    yield "</details>"


def _line(line: Line) -> Iterator[str]:
    verdict = line.verdict.lower()
    end = f' <span class="verdict {escape(verdict)}">{escape(line.verdict)}</span>' if line.verdict else ""
    label = f'<a href="#packet{line.link}">{escape(line.label)}</a>' if line.link else escape(line.label)
    indent = f' style="margin-left:{line.depth * 1.5}em"' if line.depth else ""
    yield f'<div class="line {line.kind}"{indent}><b>{label}</b><code>{escape(line.text)}{end}</code></div>'
    if line.detail:
        yield f'<div class="detail"{indent}><code>{escape(line.detail)}</code></div>'
