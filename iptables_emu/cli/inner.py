"""Our own subcommands inside ``serve``: run against the server's ruleset in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from iptables_emu.model.ruleset import Ruleset
from iptables_emu.text.programs import Result


def run_inner(argv: Sequence[str], stdin: str, environ: Mapping[str, str], ruleset: Ruleset) -> Result:
    """``iptables-sim WORDS``: iptables' own arguments, or a subcommand."""
    from iptables_emu.text.programs import Environment, run_program

    words = list(argv[1:])
    if argv[0] in ("iptables-sim", "ip6tables-sim") and (not words or words[0][:1] in ("-", "!")):
        strict = environ.get("IPTABLES_SIM_STRICT", "") not in ("", "0")
        name = "ip6tables" if argv[0].startswith("ip6") else "iptables"
        return run_program([name, *words], Environment(ruleset, strict, lambda: stdin))
    return Result(2, "", f"serve: {argv[0]}: not available here\n")
