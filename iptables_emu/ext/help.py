"""The help of one match or target (``-m NAME -h``, ``-j NAME -h``), made from its option table."""

from __future__ import annotations

import textwrap

from iptables_emu.ext.api import Extension, Match, Opt

LEFT, WIDTH = 34, 100


def help_text(ext_class: type[Extension]) -> str:
    """Title and a row an option; a long help goes on under itself."""
    kind = "match" if issubclass(ext_class, Match) else "target"
    if not ext_class.OPTIONS:
        return f"{ext_class.NAME} {kind} takes no options\n"
    rows = [_row(row) for row in _rows(ext_class)]
    return f"{ext_class.NAME} {kind} options:\n" + "".join(rows) + ext_class.more_help()


def _rows(ext_class: type[Extension]) -> list[list[Opt]]:
    """The options, each with the synonyms that follow it and say nothing of their own."""
    out: list[list[Opt]] = []
    for opt in ext_class.OPTIONS:
        same = next((row for row in out if row[0].id == opt.id), None)
        if same is not None and not opt.help:
            same.append(opt)
        else:
            out.append([opt])
    return out


def _row(row: list[Opt]) -> str:
    first = row[0]
    left = ("[!] " if first.invert else "    ") + ", ".join(f"--{opt.name}" for opt in row)
    if first.metavar or (first.convert is not None and not first.bare):
        left += f" {first.metavar or 'value'}"
    text = first.help + (" (required)" if first.mandatory else "")
    lines = textwrap.wrap(text, WIDTH - LEFT, break_on_hyphens=False) or [""]
    if len(left) >= LEFT:
        lines.insert(0, "")
    return "".join(f"{(left if i == 0 else ''):<{LEFT}}{line}".rstrip() + "\n" for i, line in enumerate(lines))
