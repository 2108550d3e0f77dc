"""One door to the formats; each is loaded when asked for."""

from __future__ import annotations

from typing import Final

from iptables_emu.trace.trace import Trace

FORMATS: Final = ("tree", "text", "json", "kernel", "nft", "html")


def render(trace: Trace, fmt: str, *, why: bool = False, color: bool = False, width: int | None = None) -> str:
    """The trace in ``fmt``, ending with a line break.

    ``why`` tells of each rule that did not match. ``color`` and ``width`` (columns, None: the terminal's)
    are for the tree. Raises ValueError for an unknown format.
    """
    if fmt == "tree":
        from iptables_emu.trace.tree import render_tree

        return render_tree(trace, why=why, color=color, width=width)
    if fmt == "text":
        from iptables_emu.trace.text import render_text

        return render_text(trace, why=why)
    if fmt == "json":
        from iptables_emu.trace.json import render_json

        return render_json(trace, why=why)
    if fmt == "kernel":
        from iptables_emu.trace.kernel import render_kernel

        return render_kernel(trace)
    if fmt == "nft":
        from iptables_emu.trace.nft import render_nft

        return render_nft(trace)
    if fmt == "html":
        from iptables_emu.trace.html import render_html

        return render_html(trace, why=why)
    raise ValueError(f"unknown format {fmt!r}: choose one of {', '.join(FORMATS)}")
