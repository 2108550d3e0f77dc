"""iptables' command line: one getopt loop over the core options and the loaded extensions' tables.

What xshared.c's do_parse does, in its order, so that of two mistakes the same one is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from iptables_emu.ext.api import Match
from iptables_emu.model.rule import RuleSpec
from iptables_emu.options.problem import IptablesError, ParameterProblem
from iptables_emu.options.types import blen, protocol
from iptables_emu.text.command import EXTENSION_NAME_MAX, RULE_COMMANDS, Command
from iptables_emu.text.errors import Exit, TryHelp
from iptables_emu.text.extensions import Loaded, find_match, finish, target_name
from iptables_emu.text.getopt import REQUIRED
from iptables_emu.text.hostnames import address_list
from iptables_emu.text.line import LineState, OneByOne, Settings
from iptables_emu.text.select import select_command
from iptables_emu.text.words import scan_counter, scan_integer

# the option names of "multiple %s options not allowed", in the order of the OPT_* bits
OPTION_NAMES = {"n": "--numeric", "s": "--source", "d": "--destination", "p": "--protocol", "j": "--jump",
                "v": "--verbose", "x": "--exact", "i": "--in-interface", "o": "--out-interface",
                "0": "--line-numbers", "c": "--set-counters", "f": "--fragments"}  # fmt: skip
_INVERTIBLE = frozenset("sdpiof")
_LIST = frozenset("L")
LEGAL_WITH = {"n": _LIST, "x": _LIST, "0": _LIST, "c": frozenset("IRAP"), "s": RULE_COMMANDS, "d": RULE_COMMANDS,
              "p": RULE_COMMANDS, "j": RULE_COMMANDS, "i": RULE_COMMANDS, "o": RULE_COMMANDS,
              "f": RULE_COMMANDS}  # fmt: skip
_NO_PROTOCOL_HEADERS = (43, 44, 51, 60)  # xshared.c: is_exthdr


class Parser(Settings):
    """Parses command lines."""

    def parse(self, argv: Sequence[str], table: str = "") -> Command:
        """The command of ``argv`` (with the program's name first). Raises ParameterProblem, TryHelp, Exit.

        A line of a dump has its ``table``, and ``-t TABLE`` behind the program's name.
        """
        try:
            line = _Line(self, argv, table, eager=False)
            self.warnings = line.command.warnings
            return line.run()
        except (IptablesError, TryHelp, Exit, OneByOne):
            # something is wrong, or the options depend on each other: once more, in iptables' own order
            line = _Line(self, argv, table, eager=True)
            self.warnings = line.command.warnings
            return line.run()


class _Line(LineState):
    """The core options of a line, and its end."""

    def run(self) -> Command:
        getopt, core = self.getopt, _CORE
        argv, end = getopt.argv, len(getopt.argv) - 1
        while True:
            index = getopt.index
            entry = getopt.options.words.get(argv[index]) if index < end and not getopt.cluster else None
            if entry is not None and entry[1] == REQUIRED:
                # an option in full with a word behind it, as nearly all are in a dump: getopt's shortest case
                val, arg = entry[2], argv[index + 1]
                getopt.index = index + 2
                if val.__class__ is str:
                    core[val](self, val, arg)
                    self.invert = False
                    continue
                getopt.kind, getopt.val, getopt.arg = "option", val, arg
            elif not getopt.next():
                break
            val = getopt.val
            if val.__class__ is str:
                core[val](self, val, getopt.arg)
                if self.command.ignored:
                    return self.command
            elif getopt.kind == "word":
                if getopt.arg != "!":
                    raise TryHelp(f"Bad argument `{getopt.arg}'\n")
                if self.invert:
                    raise ParameterProblem("multiple consecutive ! not allowed")
                self.invert = True
                continue
            elif not self.extension():
                continue
            self.invert = False
        return self.finish()

    # -- the core options ----------------------------------------------------------------------

    def note(self, letter: str) -> None:
        """Note an option that may stand once (xshared.c: set_option)."""
        if letter in self.options:
            raise ParameterProblem(f"multiple {OPTION_NAMES[letter]} options not allowed")
        self.options.add(letter)
        if self.invert:
            if letter not in _INVERTIBLE:
                raise ParameterProblem(f"cannot have ! before {OPTION_NAMES[letter]}")
            self.not_options.add(letter)

    def choose(self, letter: str, arg: str | None) -> None:
        """A command."""
        select_command(self.command, self.getopt, letter, arg, self.invert, self.parser.announced)

    def flag(self, letter: str, arg: str | None) -> None:
        if letter == "f" and self.parser.family == 6:
            raise ParameterProblem("`-f' is not supported in IPv6, use -m frag instead")
        self.note(letter)

    def source(self, letter: str, arg: str | None) -> None:
        self.note(letter)
        self.sources = arg or ""

    def destination(self, letter: str, arg: str | None) -> None:
        self.note(letter)
        self.destinations = arg or ""

    def proto(self, letter: str, arg: str | None) -> None:
        if self.pending:
            raise OneByOne
        self.note(letter)
        text = arg or ""
        self.protocol = text.lower() if text.isascii() else text
        number = self.proto_number = protocol(self.protocol)
        inverted = "p" in self.not_options
        if number == 0 and inverted:
            raise ParameterProblem("rule would never match protocol")
        if self.parser.family == 6 and not inverted and number in _NO_PROTOCOL_HEADERS:
            self.warn(f"Warning: never matched protocol: {self.protocol}. use extension match instead.\n")
        self.base = (self.parser.family, number, inverted, self.parser.personality, self.parser.release)

    def interface(self, letter: str, arg: str | None) -> None:
        name = arg or ""
        if not name:
            raise ParameterProblem("Empty interface is likely to be undesired")
        self.note(letter)
        if blen(name) >= 16:
            raise ParameterProblem(f"interface name `{name}' must be shorter than 16 characters")
        if "/" in name or " " in name:
            self.warn(
                f"Warning: weird character in interface `{name}' ('/' and ' ' are not allowed by the kernel).\n"
            )
        if letter == "i":
            self.iif = name
        else:
            self.oif = name

    def verbose(self, letter: str, arg: str | None) -> None:
        if not self.command.verbose:
            self.note(letter)
        self.command.verbose += 1

    def counters(self, letter: str, arg: str | None) -> None:
        self.note(letter)
        packets, comma, octets = (arg or "").partition(",")
        if not comma:
            if not self.getopt.has_arg():
                raise ParameterProblem("--set-counters requires packet and byte counter")
            octets = self.getopt.take()
        values = []
        for what, text in (("packet", packets), ("byte", octets)):
            value = scan_counter(text)
            if value is None:
                raise ParameterProblem(f"--set-counters {what} counter not numeric")
            values.append(value)
        self.command.counters = (values[0], values[1])

    def jump(self, letter: str, arg: str | None) -> None:
        self.note(letter)
        if arg != "CONTINUE":
            self.load_target(arg or "")

    def goto(self, letter: str, arg: str | None) -> None:
        self.note("j")
        self.command.jump, self.command.goto = target_name(arg or ""), True

    def table(self, letter: str, arg: str | None) -> None:
        if self.invert:
            raise ParameterProblem("unexpected ! flag before --table")
        if self.parser.restore and self.table_set:
            raise ParameterProblem(f"The -t option cannot be used in {self.parser.program}.\n")
        self.command.table, self.table_set = arg or "", True

    def waiting(self, letter: str, arg: str | None) -> None:
        if self.parser.restore:
            raise ParameterProblem(f"You cannot use `-{letter}' from iptables-restore")
        if arg is None and self.getopt.has_arg():
            arg = self.getopt.take()
        if letter == "w":
            number = -1 if arg is None else scan_integer(arg)
            if number is None:
                raise ParameterProblem("wait seconds not numeric")
            self.command.wait = number
            return
        check_wait_interval(arg)
        self.warn(WAIT_INTERVAL_IGNORED)
        self.wait_interval = True

    def other_family(self, letter: str, arg: str | None) -> None:
        """-4 or -6: a line of the other family is ignored in a dump."""
        if int(letter) != self.parser.family:
            if not self.parser.restore:
                raise TryHelp
            self.command.ignored = True

    def modprobe(self, letter: str, arg: str | None) -> None:
        pass

    def version(self, letter: str, arg: str | None) -> None:
        version = self.parser.version
        raise Exit(0, stdout=f"Not {version} ;-)\n" if self.invert else f"{self.parser.program} v{version}\n")

    def help(self, letter: str, arg: str | None) -> None:
        from iptables_emu.text.help import usage

        if not self.matches and self.protocol:
            cls = find_match(self.protocol, self.parser.family)
            if cls is not None:
                self.matches.append(Loaded(cls))
        classes = [*([self.target.cls] if self.target else []), *(m.cls for m in self.matches)]
        raise Exit(0, stdout=usage(self.parser.program, self.parser.version, self.parser.family, classes))

    # -- the end ---------------------------------------------------------------------------------

    def finish(self) -> Command:
        command = self.command
        if command.table == "nat" and (command.jump == "DROP" or command.policy == "DROP"):
            raise ParameterProblem(
                '\nThe "nat" table is not intended for filtering, the use of DROP is therefore inhibited.\n\n'
            )
        if self.wait_interval and not command.wait:
            raise ParameterProblem("--wait-interval only makes sense with --wait\n")
        if self.eager:
            for loaded in (*self.matches, *((self.target,) if self.target else ())):
                finish(loaded.cls, self.context(loaded))
        if self.getopt.peek() is not None:
            raise ParameterProblem("unknown arguments found on commandline")
        if not command.commands:
            raise ParameterProblem("no command specified")
        if self.invert:
            raise ParameterProblem("nothing appropriate following !")
        self.addresses()
        self.check_options()
        if command.chain is not None and blen(command.chain) >= EXTENSION_NAME_MAX:
            raise ParameterProblem(
                f"chain name `{command.chain}' too long (must be under {EXTENSION_NAME_MAX} chars)"
            )
        if command.on_rule:
            self.check_interfaces()
            command.spec = self.spec()
        elif self.pending:
            raise OneByOne
        return command

    def addresses(self) -> None:
        """Read -s and -d, last of all (their errors come after every other option's)."""
        command, family = self.command, self.parser.family
        if "s" in self.options:
            command.sources = address_list(self.sources, family)
        if "d" in self.options:
            command.destinations = address_list(self.destinations, family)
        many = len(command.sources) > 1 or len(command.destinations) > 1
        if many and not self.not_options.isdisjoint("sd"):
            raise ParameterProblem("! not allowed with multiple source or destination IP addresses")

    def check_options(self) -> None:
        command, options = self.command, self.options
        if command.on_rule and options <= RULE_OPTIONS:
            return
        for letter, name in OPTION_NAMES.items():
            legal = LEGAL_WITH.get(letter)
            if letter in options and legal is not None and (command.by_number or not command.commands <= legal):
                raise ParameterProblem(f"Illegal option `{name}' with this command")
        command.numeric, command.exact, command.line_numbers = "n" in options, "x" in options, "0" in options

    def check_interfaces(self) -> None:
        chain = self.command.chain
        if self.oif and chain in ("PREROUTING", "INPUT"):
            raise ParameterProblem(f"Can't use --out-interface with {chain}")
        if self.iif and chain in ("POSTROUTING", "OUTPUT"):
            raise ParameterProblem(f"Can't use --in-interface with {chain}")

    def spec(self) -> RuleSpec:
        no, command, parser = self.not_options, self.command, self.parser
        nft = parser.personality == "nft"
        # iptables-nft says nothing to the kernel about an interface that may be any
        iif = "" if nft and self.iif == "+" and "i" not in no else self.iif
        oif = "" if nft and self.oif == "+" and "o" not in no else self.oif
        src, dst = command.sources[0], command.destinations[0]
        matches = [made for made in map(self.build, self.matches) if made is not None]
        if nft and len(matches) > 1:
            matches = joined(matches)
        return RuleSpec(
            parser.family, src[0], src[1], "s" in no, dst[0], dst[1], "d" in no, iif, "i" in no, oif, "o" in no,
            self.proto_number, "p" in no, not nft and parser.family == 6 and "p" in self.options,
            "f" in self.options, "f" in no, tuple(matches),
            None if self.target is None else self.build(self.target), command.jump, command.goto,
        )  # fmt: skip


def joined(matches: list[Match]) -> list[Match]:
    """What iptables-nft reads back: several matches of a kind can become one, in the place of the first."""
    kinds = [type(match) for match in matches]
    if len(set(kinds)) == len(kinds):
        return matches
    out: list[Match] = []
    for match in matches:
        for at, before in enumerate(out):
            if type(before) is type(match) and (one := before.joined(match)) is not None:
                out[at] = one
                break
        else:
            out.append(match)
    return out


WAIT_INTERVAL_IGNORED = "Ignoring deprecated --wait-interval option.\n"
RULE_OPTIONS = frozenset("spdjiofv")


def check_wait_interval(arg: str | None) -> None:
    """The microseconds of -W. Raises ParameterProblem."""
    if arg is None:
        raise ParameterProblem("wait interval value required")
    usec = scan_counter(arg)
    if usec is None:
        raise ParameterProblem("wait interval not numeric")
    if usec & 0xFFFFFFFF > 999999:
        raise ParameterProblem(f"too long usec wait {usec & 0xFFFFFFFF} > 999999 usec")


_CORE: dict[str, Callable[[_Line, str, str | None], None]] = {
    **dict.fromkeys("ACDRILSFZNXEP", _Line.choose), **dict.fromkeys("nxf0", _Line.flag),
    **dict.fromkeys("io", _Line.interface), **dict.fromkeys("wW", _Line.waiting),
    **dict.fromkeys("46", _Line.other_family),
    "s": _Line.source, "d": _Line.destination, "p": _Line.proto, "j": _Line.jump, "g": _Line.goto,
    "m": _Line.load_match, "t": _Line.table, "v": _Line.verbose, "c": _Line.counters, "h": _Line.help,
    "V": _Line.version, "M": _Line.modprobe,
}  # fmt: skip
