"""The real programs by name: argv and standard input in, status and texts out.

Nothing here touches files except ``iptables-save -f`` and a restore's file argument; the ruleset is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from iptables_emu.model.ruleset import Ruleset

VERSION = "1.8.11"


@dataclass(frozen=True, slots=True)
class Result:
    """How a program ended."""

    rc: int
    stdout: str = ""
    stderr: str = ""


@dataclass(slots=True)
class Environment:
    """What a program works on. ``read_input`` reads all of standard input; ``sets`` are the ipsets that
    exist, with their families (0: of both). ``lock`` takes the xtables lock, waiting so many seconds (0: not at
    all, -1: for ever), or raises Exit; only iptables-legacy asks for it."""

    ruleset: Ruleset
    strict: bool = False
    read_input: Callable[[], str] = lambda: ""
    sets: Mapping[str, int] = field(default_factory=dict)
    lock: Callable[[int], None] = lambda seconds: None

    @property
    def version(self) -> str:
        return f"{VERSION} ({'legacy' if self.ruleset.personality == 'legacy' else 'nf_tables'})"


def program_of(name: str) -> tuple[int, str, str | None] | None:
    """(family, what, personality or None) of a program name such as ``ip6tables-nft-restore``; None: not one."""
    family = 6 if name.startswith("ip6tables") else 4 if name.startswith("iptables") else 0
    if not family:
        return None
    rest = name[len("ip6tables" if family == 6 else "iptables") :]
    personality = None
    for each in ("nft", "legacy"):
        if rest == f"-{each}" or rest.startswith(f"-{each}-"):
            personality, rest = each, rest[len(each) + 1 :]
    what = {"": "command", "-save": "save", "-restore": "restore", "-xml": "xml", "-translate": "translate",
            "-restore-translate": "restore-translate"}.get(rest)  # fmt: skip
    return None if what is None else (family, what, personality)


def run_program(argv: Sequence[str], env: Environment) -> Result:
    """Run ``argv`` (the program's name first)."""
    name = argv[0].rsplit("/", 1)[-1]
    found = program_of(name)
    if found is None:
        return Result(127, "", f"{name}: unknown program\n")
    family, what, _ = found
    plain = f"{'iptables' if family == 4 else 'ip6tables'}-{what}"
    if env.ruleset.personality == "legacy":
        name = plain  # iptables-legacy does not look at its argv[0]
    if what == "save":
        from iptables_emu.text.save_main import save_main

        return save_main(argv, family, name, env)
    if what == "restore":
        from iptables_emu.text.restore_main import restore_main

        return restore_main(argv, family, name, env)
    if what == "translate":
        from iptables_emu.text.translate import translate_main

        return translate_main(argv, family)
    if what == "restore-translate":
        from iptables_emu.text.translate_restore import restore_translate_main

        return restore_translate_main(argv, family)
    if what == "xml":
        from iptables_emu.text.xml import xml_main

        return xml_main(argv, env)
    from iptables_emu.text.command_main import command_main

    return command_main(argv, family, env)
