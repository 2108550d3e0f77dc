"""The programs' entry point: which program is meant, then the shortest way to it.

click is imported only for our own subcommands: iptables' own arguments never pass through it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from iptables_emu.text.programs import program_of

ALIASES = {
    "iptables-sim": "iptables", "ip6tables-sim": "ip6tables", "iptables-sim-save": "iptables-save",
    "iptables-sim-restore": "iptables-restore", "ip6tables-sim-save": "ip6tables-save",
    "ip6tables-sim-restore": "ip6tables-restore",
}  # fmt: skip


def main() -> NoReturn:
    """Run as the name in argv[0] says; exit with the program's status."""
    argv = [os.fsencode(a).decode("utf-8", "surrogateescape") for a in sys.argv]
    sys.exit(run(argv[0].rsplit("/", 1)[-1], argv[1:]))


def run(called: str, words: Sequence[str]) -> int:
    """Status of ``called`` with these words."""
    from iptables_emu.cli.state import Globals, run_stateful

    settings = Globals.from_environ(os.environ)
    words = settings.take(list(words))
    name = settings.as_name or called
    known = program_of(name)
    if known is None and name not in ALIASES:
        name = "iptables-sim"
    if known is None and name in ("iptables-sim", "ip6tables-sim") and words and words[0][:1] not in ("-", "!"):
        from iptables_emu.cli.main import subcommand

        return subcommand(words, settings)
    return run_stateful([ALIASES.get(name, name), *words], settings)


if __name__ == "__main__":
    main()
