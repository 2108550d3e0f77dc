"""One command line on its way: what is known of it so far, and the extensions that it has loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from iptables_emu.ext import registry
from iptables_emu.ext.api import Match, Target
from iptables_emu.options import names
from iptables_emu.options.numbers import strict
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import Opt, OptionContext
from iptables_emu.text.command import Command
from iptables_emu.text.extensions import (
    BaseKey,
    Loaded,
    SetNames,
    assemble,
    base_of,
    begin,
    find_match,
    give,
    make,
    target_name,
)
from iptables_emu.text.getopt import Getopt
from iptables_emu.text.option_tables import command_options, with_extension

# targets that no iptables has any more: with --strict they are as unknown as any name
GONE = frozenset({"MIRROR"})
STANDARD = frozenset({"", "ACCEPT", "DROP", "QUEUE", "RETURN"})


class OneByOne(Exception):
    """The options of this line have to be converted at once, one by one."""


class Settings:
    """What holds for all lines of a run. ``restore`` is for the lines of a dump.

    ``announced`` holds the chains that the dump has declared: they are not looked up as targets any more.
    """

    def __init__(self, family: int, personality: str, program: str, version: str, *, restore: bool = False) -> None:
        self.family, self.personality = family, personality
        self.program, self.version = program, version
        self.restore = restore
        self.release = "1.8.11"
        self.announced: set[str] = set()
        self.warnings: list[str] = []  # of the last line, to be printed before its error
        self.options = command_options(family, personality)
        self.sets: SetNames = frozenset()  # the ipsets that exist, with their families


class LineState:
    """The state of one line's parse.

    ``eager`` converts every option where it stands, as iptables does. Otherwise options are only noted and
    each extension is made at the end, mostly found ready; that gives the same for a line without mistakes.
    """

    target: Loaded | None = None
    protocol: str | None = None
    sources = destinations = iif = oif = ""
    proto_number = 0
    invert = pending = proto_used = wait_interval = False

    def __init__(self, parser: Settings, argv: Sequence[str], table: str, eager: bool) -> None:
        self.parser, self.eager = parser, eager
        self.command = Command(parser.family, table or "filter")
        # the lines of a dump begin with the program's name, -t and the table
        self.getopt = Getopt(argv, parser.options, 3 if table else 1)
        self.table_set = bool(table)
        self.base: BaseKey = (parser.family, 0, False, parser.personality, parser.release)
        self.matches: list[Loaded] = []
        self.options: set[str] = set()
        self.not_options: set[str] = set()

    def warn(self, text: str) -> None:
        """Something for stderr, even when an error follows."""
        self.command.warnings.append(text)

    def load_match(self, letter: str, arg: str | None) -> None:
        if self.invert:
            raise ParameterProblem("unexpected ! flag before --match")
        cls = find_match(arg or "", self.parser.family)
        if cls is None:
            name = registry.MATCH_ALIASES.get(arg or "", arg)
            raise ParameterProblem(f"Couldn't load match `{name}':No such file or directory\n")
        if cls.REAL_NAME:
            self.converted("the", "match", cls)
        if not self.matches or self.owner(cls) is None:
            self.getopt.options = with_extension(self.getopt.options, cls)
        self.matches.append(Loaded(cls))

    def converted(self, article: str, kind: str, cls: type[Match] | type[Target]) -> None:
        if cls.REAL_NAME != cls.NAME:
            self.warn(
                f"Notice: {article} {cls.NAME} {kind} is converted into {cls.REAL_NAME} {kind} "
                "in rule listing and saving.\n"
            )

    def load_target(self, name: str) -> None:
        self.command.jump = target_name(name)
        if name in STANDARD or name in self.parser.announced:
            return
        cls = registry.find_target(name, self.parser.family)
        if cls is None:
            return
        if cls.REAL_NAME:
            self.converted("The", "target", cls)
        self.target = Loaded(cls)
        self.getopt.options = with_extension(self.getopt.options, cls)

    def extension(self) -> bool:
        """An option of an extension, or one that nobody knows yet. False: look at the same word again."""
        got = self.getopt
        if got.kind == "option":
            cls, opt = got.val
            loaded = self.owner(cls)
            if loaded is not None:
                self.give(loaded, opt, got.arg)
                return True
        if self.load_protocol_match():
            self.getopt.index -= 1
            return False
        if got.kind == "missing":
            raise ParameterProblem(f'option "{got.arg}" requires an argument')
        raise ParameterProblem(f'unknown option "{got.arg}"')

    def owner(self, cls: type[Match] | type[Target]) -> Loaded | None:
        if self.target is not None and self.target.cls is cls:
            return self.target
        for loaded in reversed(self.matches):
            if loaded.cls is cls:
                return loaded
        return None

    def give(self, loaded: Loaded, opt: Opt, arg: str | None) -> None:
        if self.eager:
            give(loaded.cls, self.context(loaded), opt.name, arg, self.invert)
            return
        words = () if arg is None else (arg,)
        if opt.bare:  # whether it has a word is up to its converter
            raise OneByOne
        if opt.words > 1:
            while len(words) < opt.words and self.getopt.has_arg():
                words = (*words, self.getopt.take())
        loaded.written.append((opt.name, words, self.invert))
        self.pending = True

    def context(self, loaded: Loaded) -> OptionContext:
        """Where its options are converted, with the base as it is by now."""
        base = base_of(*self.base)
        if loaded.cx is None:
            loaded.cx = begin(loaded.cls, base, self.parser.sets, self.command.warnings, self.getopt)
        loaded.cx.base = base
        return loaded.cx

    def load_protocol_match(self) -> bool:
        """``-p tcp --dport``: the protocol's match is loaded when an option is unknown without it."""
        if self.protocol is None or self.proto_used:
            return False
        self.proto_used = True
        name: str | None = self.protocol
        number = strict(self.protocol, 0, 255)
        if number is not None:
            name = names.protocol_name(number, "n" not in self.options)
        cls = find_match(name, self.parser.family) if name else None
        if cls is None:
            return False
        # its options come once more even when the match is loaded already: an abbreviation gets ambiguous
        self.getopt.options = with_extension(self.getopt.options, cls)
        self.matches.append(Loaded(cls))
        return True

    def build(self, loaded: Loaded) -> Any:
        """The finished extension; None for a match that is not stored. Raises ParameterProblem."""
        if self.eager:
            return make(loaded.cls, self.context(loaded))
        made, warnings = assemble(loaded.cls, tuple(loaded.written), self.base, self.parser.sets)
        if warnings:
            self.command.warnings += warnings
        return made
