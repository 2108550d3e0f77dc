"""iptables' command line: one getopt loop over the core options and the loaded extensions' tables.

What xshared.c's do_parse does, in its order, so that of two mistakes the same one is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from iptables_emu.ext import registry
from iptables_emu.ext.api import Match, Target
from iptables_emu.model.rule import RuleSpec
from iptables_emu.options import names
from iptables_emu.options.numbers import U64, strict
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import Base, Given, Opt, OptionContext, accept, check_table
from iptables_emu.options.types import blen, protocol
from iptables_emu.text.command import EXTENSION_NAME_MAX, Command
from iptables_emu.text.errors import Exit, TryHelp
from iptables_emu.text.getopt import NO, OPTIONAL, REQUIRED, Getopt, Got, Long
from iptables_emu.text.hostnames import ANY, address_list

_LONG = """append:A1 delete:D1 check:C1 insert:I1 replace:R1 list:L2 list-rules:S2 flush:F2 zero:Z2 new-chain:N1
delete-chain:X2 rename-chain:E1 policy:P1 source:s1 destination:d1 src:s1 dst:d1 protocol:p1 in-interface:i1 jump:j1
table:t1 match:m1 numeric:n0 out-interface:o1 verbose:v0 wait:w2 wait-interval:W2 exact:x0 fragments:f0 version:V0
help:h2 line-numbers:00 modprobe:M1 set-counters:c1 goto:g1 ipv4:40 ipv6:60"""
_SHORT = "-:A:C:D:E:F::I:L::M:N:P:R:S::VX::Z::c:d:i:j:o:p:s:t:vW::46fg:h::m:nw::x"
STANDARD = frozenset({"", "ACCEPT", "DROP", "QUEUE", "RETURN"})
SPACE = " \t\n\v\f\r"

# the option names of "multiple %s options not allowed" and the commands each goes with
OPTION_NAMES = {"n": "--numeric", "s": "--source", "d": "--destination", "p": "--protocol", "j": "--jump",
                "v": "--verbose", "x": "--exact", "i": "--in-interface", "o": "--out-interface",
                "0": "--line-numbers", "c": "--set-counters", "f": "--fragments"}  # fmt: skip
_RULE_COMMANDS = frozenset("IDRAC")
LEGAL_WITH = {"n": frozenset("L"), "x": frozenset("L"), "0": frozenset("L"), "c": frozenset("IRAP"),
              "s": _RULE_COMMANDS, "d": _RULE_COMMANDS, "p": _RULE_COMMANDS, "j": _RULE_COMMANDS,
              "i": _RULE_COMMANDS, "o": _RULE_COMMANDS, "f": _RULE_COMMANDS}  # fmt: skip
_CHECK_ORDER = "nsdpjvxio0cf"


@cache
def _core_long() -> dict[str, Long]:
    out = {}
    for item in _LONG.split():
        name, spec = item.split(":")
        out[name] = Long(name, int(spec[1]), spec[0], ord(spec[0]))
    return out


@cache
def _core_short() -> dict[str, int]:
    out, text = {}, _SHORT[2:]
    for i, char in enumerate(text):
        if char != ":":
            tail = text[i + 1 : i + 3]
            out[char] = OPTIONAL if tail == "::" else REQUIRED if tail[:1] == ":" else NO
    return out


@cache
def _extension_long(cls: type[Match] | type[Target]) -> dict[str, Long]:
    keys = list(dict.fromkeys(opt.id for opt in cls.OPTIONS))
    out: dict[str, Long] = {}
    for opt in cls.OPTIONS:
        code = opt.ident if opt.ident >= 0 else keys.index(opt.id)
        out[opt.name] = Long(opt.name, REQUIRED if opt.convert else NO, (cls, opt), code)
    return out


@dataclass(slots=True)
class _Loaded:
    """An extension in use on this line, with what it was given."""

    cls: type[Match] | type[Target]
    given: dict[str, Given] = field(default_factory=dict)


class Parser:
    """Parses one command line. ``restore`` is a line of a dump, at input line ``line``."""

    def __init__(self, family: int, personality: str, program: str, version: str, *, restore: bool = False) -> None:
        self.family, self.personality = family, personality
        self.program, self.version = program, version
        self.restore = restore

    def parse(self, argv: Sequence[str], table: str = "filter") -> Command:
        """The command of ``argv`` (with the program's name first). Raises ParameterProblem, TryHelp, Exit."""
        return _Line(self, argv, table).run()


class _Line:
    """The state of one line's parse."""

    def __init__(self, parser: Parser, argv: Sequence[str], table: str) -> None:
        self.parser = parser
        self.command = Command(family=parser.family, table=table)
        self.getopt = Getopt(argv, _core_short(), _core_long())
        self.matches: list[_Loaded] = []
        self.target: _Loaded | None = None
        self.options: set[str] = set()
        self.not_options: set[str] = set()
        self.invert = False
        self.table_set = False
        self.protocol: str | None = None
        self.proto_used = False
        self.proto_number = 0
        self.sources = self.destinations = ""
        self.iif = self.oif = ""
        self.wait = 0
        self.wait_interval = False

    def run(self) -> Command:
        while (got := self.getopt.next()) is not None:
            if got.kind == "word":
                if got.arg == "!":
                    if self.invert:
                        raise ParameterProblem("multiple consecutive ! not allowed")
                    self.invert = True
                    continue
                raise TryHelp(f"Bad argument `{got.arg}'\n")
            if got.kind in ("short", "long") and isinstance(got.val, str):
                if self.core(got.val, got.arg):
                    return self.command
            elif not self.extension(got):
                continue
            self.invert = False
        return self.finish()

    # -- the core options ----------------------------------------------------------------------

    def core(self, letter: str, arg: str | None) -> bool:
        """One core option; True when the whole line is to be ignored (``-6`` for iptables-restore)."""
        if letter in "ACDRILSFZNXEP":
            self.select(letter, arg)
        elif letter in "psdjgiofnvxc0":
            self.set_option("j" if letter == "g" else letter)
            self.rule_option(letter, arg or "")
        elif letter == "m":
            self.load_match(arg or "")
        elif letter == "t":
            if self.invert:
                raise ParameterProblem("unexpected ! flag before --table")
            if self.parser.restore and self.table_set:
                raise ParameterProblem(f"The -t option cannot be used in {self.parser.program}.\n")
            self.command.table, self.table_set = arg or "", True
        elif letter == "h":
            raise Exit(0, stdout=self.help())
        elif letter == "V":
            version = self.parser.version
            raise Exit(0, stdout=f"Not {version} ;-)\n" if self.invert else f"{self.parser.program} v{version}\n")
        elif letter in "wW":
            self.wait_option(letter, arg)
        elif letter in "46" and int(letter) != self.parser.family:
            if self.parser.restore:
                self.command.ignored = True
                return True
            raise TryHelp()
        return False

    def set_option(self, letter: str) -> None:
        if letter == "v" and self.command.verbose:
            return
        if letter == "f" and self.parser.family == 6:
            raise ParameterProblem("`-f' is not supported in IPv6, use -m frag instead")
        name = OPTION_NAMES[letter]
        if letter in self.options:
            raise ParameterProblem(f"multiple {name} options not allowed")
        self.options.add(letter)
        if self.invert:
            if letter not in "sdpiof":
                raise ParameterProblem(f"cannot have ! before {name}")
            self.not_options.add(letter)

    def rule_option(self, letter: str, arg: str) -> None:
        command = self.command
        if letter == "p":
            self.protocol = arg.lower() if arg.isascii() else arg
            self.proto_number = protocol(self.protocol)
            if self.proto_number == 0 and "p" in self.not_options:
                raise ParameterProblem("rule would never match protocol")
            if self.parser.family == 6 and "p" not in self.not_options and self.proto_number in (43, 44, 51, 60):
                command.warnings.append(
                    f"Warning: never matched protocol: {self.protocol}. use extension match instead.\n"
                )
        elif letter == "s":
            self.sources = arg
        elif letter == "d":
            self.destinations = arg
        elif letter == "g":
            command.jump, command.goto = target_name(arg), True
        elif letter == "j":
            if arg != "CONTINUE":
                self.load_target(arg)
        elif letter in "io":
            self.interface(letter, arg)
        elif letter == "v":
            command.verbose += 1
        elif letter == "c":
            self.counters(arg)

    def interface(self, letter: str, arg: str) -> None:
        if not arg:
            raise ParameterProblem("Empty interface is likely to be undesired")
        if blen(arg) >= 16:
            raise ParameterProblem(f"interface name `{arg}' must be shorter than 16 characters")
        if "/" in arg or " " in arg:
            self.command.warnings.append(
                f"Warning: weird character in interface `{arg}' ('/' and ' ' are not allowed by the kernel).\n"
            )
        if letter == "i":
            self.iif = arg
        else:
            self.oif = arg

    def counters(self, arg: str) -> None:
        packets, comma, octets = arg.partition(",")
        if not comma:
            if not self.getopt.has_arg():
                raise ParameterProblem("--set-counters requires packet and byte counter")
            octets = self.getopt.take()
        values = []
        for what, text in (("packet", packets), ("byte", octets)):
            value = _scan_counter(text)
            if value is None:
                raise ParameterProblem(f"--set-counters {what} counter not numeric")
            values.append(value)
        self.command.counters = (values[0], values[1])

    def wait_option(self, letter: str, arg: str | None) -> None:
        if self.parser.restore:
            raise ParameterProblem(f"You cannot use `-{letter}' from iptables-restore")
        if arg is None and self.getopt.has_arg():
            arg = self.getopt.take()
        if letter == "w":
            number = _scan_signed(arg) if arg is not None else -1
            if number is None:
                raise ParameterProblem("wait seconds not numeric")
            self.wait = number
            return
        if arg is None:
            raise ParameterProblem("wait interval value required")
        usec = _scan_signed(arg)
        if usec is None:
            raise ParameterProblem("wait interval not numeric")
        if not 0 <= usec <= 999999:
            raise ParameterProblem(f"too long usec wait {usec & 0xFFFFFFFF} > 999999 usec")
        self.command.warnings.append("Ignoring deprecated --wait-interval option.\n")
        self.wait_interval = True

    # -- commands --------------------------------------------------------------------------------

    def select(self, letter: str, arg: str | None) -> None:
        """One command letter with its own words."""
        command, getopt = self.command, self.getopt
        if letter == "N":
            self.check_chain_name(arg or "")
        if self.invert:
            raise ParameterProblem("unexpected '!' flag")
        allowed = {"L": "Z", "S": "Z", "Z": "LS"}.get(letter, "")
        clash = next((c for c in _CLASH_ORDER if c in command.commands and c not in allowed), None)
        if clash is not None:
            raise ParameterProblem(f"Cannot use -{letter} with -{clash}")
        command.commands.add(letter)
        if letter in "LSFZX":
            if arg is not None:
                command.chain = arg
            elif getopt.has_arg():
                command.chain = getopt.take()
            if letter in "LSZ" and getopt.has_arg():
                command.rulenum = rule_number(getopt.take())
                if letter == "Z":
                    command.commands = {"Z"}
                    command.zero_one = True
            return
        command.chain = arg
        if letter == "D" and getopt.has_arg():
            command.rulenum, command.by_number = delete_number(getopt.take()), True
        elif letter == "R":
            if not getopt.has_arg():
                raise ParameterProblem("-R requires a rule number")
            command.rulenum = rule_number(getopt.take())
        elif letter == "I":
            command.rulenum = rule_number(getopt.take()) if getopt.has_arg() else 1
        elif letter == "E":
            if not getopt.has_arg():
                raise ParameterProblem("-E requires old-chain-name and new-chain-name")
            command.newname = getopt.take()
            self.check_chain_name(command.newname)
        elif letter == "P":
            if not getopt.has_arg():
                raise ParameterProblem("-P requires a chain and a policy")
            command.policy = getopt.take()

    def check_chain_name(self, name: str) -> None:
        check_chain_name(name, self.parser.family)

    # -- extensions ------------------------------------------------------------------------------

    def base(self) -> Base:
        return Base(self.parser.family, self.proto_number, "p" in self.not_options, self.parser.personality)

    def load_match(self, name: str) -> None:
        if self.invert:
            raise ParameterProblem("unexpected ! flag before --match")
        cls = find_match(name, self.parser.family)
        if cls is None:
            raise ParameterProblem(f"Couldn't load match `{name}':No such file or directory\n")
        if cls.REAL_NAME and cls.REAL_NAME != cls.NAME:
            self.command.warnings.append(
                f"Notice: the {cls.NAME} match is converted into {cls.REAL_NAME} match in rule listing and saving.\n"
            )
        self.use_match(cls)

    def use_match(self, cls: type[Match]) -> None:
        if not any(m.cls is cls for m in self.matches):
            self.getopt.add(_extension_long(cls))
        self.matches.append(_Loaded(cls))

    def load_target(self, name: str) -> None:
        command = self.command
        command.jump = target_name(name)
        if name in STANDARD:
            return
        cls = registry.find_target(name, self.parser.family)
        if cls is None:
            return
        if cls.REAL_NAME and cls.REAL_NAME != cls.NAME:
            command.warnings.append(
                f"Notice: The {cls.NAME} target is converted into {cls.REAL_NAME} target in rule listing and saving.\n"
            )
        self.target = _Loaded(cls)
        self.getopt.add(_extension_long(cls))

    def extension(self, got: Got) -> bool:
        """An option of an extension, or one that nobody knows yet. False: look at the same word again."""
        if got.kind in ("short", "long"):
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

    def owner(self, cls: type[Match] | type[Target]) -> _Loaded | None:
        if self.target is not None and self.target.cls is cls:
            return self.target
        return next((m for m in reversed(self.matches) if m.cls is cls), None)

    def give(self, loaded: _Loaded, opt: Opt, arg: str | None) -> None:
        cx = OptionContext(loaded.cls.NAME, opt.name, self.invert, self.base(), loaded.given, self.getopt)
        accept(opt, arg, cx)

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
        self.use_match(cls)
        return True

    # -- the end ---------------------------------------------------------------------------------

    def finish(self) -> Command:
        command = self.command
        if command.table == "nat" and (command.policy == "DROP" or command.jump == "DROP"):
            raise ParameterProblem(
                '\nThe "nat" table is not intended for filtering, the use of DROP is therefore inhibited.\n\n'
            )
        if self.wait_interval and not self.wait:
            raise ParameterProblem("--wait-interval only makes sense with --wait\n")
        base = self.base()
        for loaded in (*self.matches, *((self.target,) if self.target else ())):
            loaded.cls.check(loaded.given, base)
            check_table(loaded.cls.NAME, loaded.cls.OPTIONS, loaded.given)
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
        self.check_interfaces()
        command.spec = self.spec(base)
        command.numeric, command.exact = "n" in self.options, "x" in self.options
        command.line_numbers = "0" in self.options
        return command

    def addresses(self) -> None:
        """Read -s and -d, last of all (their errors come after every other option's)."""
        command = self.command
        command.sources = address_list(self.sources, self.parser.family) if "s" in self.options else [ANY]
        command.destinations = address_list(self.destinations, self.parser.family) if "d" in self.options else [ANY]
        many = len(command.sources) > 1 or len(command.destinations) > 1
        if many and self.not_options & {"s", "d"}:
            raise ParameterProblem("! not allowed with multiple source or destination IP addresses")

    def check_options(self) -> None:
        for letter in _CHECK_ORDER:
            legal = LEGAL_WITH.get(letter)
            if letter in self.options and legal is not None and not self.command.commands <= legal:
                raise ParameterProblem(f"Illegal option `{OPTION_NAMES[letter]}' with this command")
            if letter in self.options and legal is not None and self.command.by_number:
                raise ParameterProblem(f"Illegal option `{OPTION_NAMES[letter]}' with this command")

    def check_interfaces(self) -> None:
        command = self.command
        if not command.commands & set("ADCIR") or command.by_number:
            return
        if command.chain in ("PREROUTING", "INPUT") and "o" in self.options:
            raise ParameterProblem(f"Can't use --out-interface with {command.chain}")
        if command.chain in ("POSTROUTING", "OUTPUT") and "i" in self.options:
            raise ParameterProblem(f"Can't use --in-interface with {command.chain}")

    def spec(self, base: Base) -> RuleSpec:
        matches = []
        for loaded in self.matches:
            match = loaded.cls.parse(loaded.given, base)
            matches.append(match.native(base) if base.personality == "nft" else match)
        target = None
        if self.target is not None:
            target = self.target.cls.parse(self.target.given, base)
            target = target.native(base) if base.personality == "nft" else target
        no = self.not_options
        return RuleSpec(
            family=self.parser.family, not_src="s" in no, not_dst="d" in no, iif=self.iif, not_iif="i" in no,
            oif=self.oif, not_oif="o" in no, proto=self.proto_number, not_proto="p" in no,
            proto_given="p" in self.options, fragment="f" in self.options, not_fragment="f" in no,
            matches=tuple(matches), target=target, jump=self.command.jump, goto=self.command.goto,
        )  # type: ignore[arg-type]  # fmt: skip  # the loaded classes are matches, then a target

    def help(self) -> str:
        from iptables_emu.text.help import usage

        if not self.matches and self.protocol:
            cls = find_match(self.protocol, self.parser.family)
            if cls is not None:
                self.matches.append(_Loaded(cls))
        classes = [*([self.target.cls] if self.target else []), *(m.cls for m in self.matches)]
        return usage(self.parser.program, self.parser.version, self.parser.family, classes)


# of several commands so far the one with the highest CMD_* bit is named (xshared.c: cmd2char)
_CLASH_ORDER = "CSEPXNZFLARDI"


def find_match(name: str, family: int) -> type[Match] | None:
    """A match by name. Raises ParameterProblem for a name that is too long."""
    if blen(name) >= EXTENSION_NAME_MAX:
        raise ParameterProblem(f'Invalid match name "{name}" ({EXTENSION_NAME_MAX - 1} chars max)')
    return registry.find_match(name, family)


def target_name(name: str) -> str:
    """A target's or chain's name after ``-j``. Raises ParameterProblem."""
    if not name:
        raise ParameterProblem("Invalid target name (too short)")
    if blen(name) >= EXTENSION_NAME_MAX:
        raise ParameterProblem(f"Invalid target name `{name}' ({EXTENSION_NAME_MAX - 1} chars max)")
    if any(c in SPACE for c in name):
        raise ParameterProblem(f"Invalid target name `{name}'")
    return name


def check_chain_name(name: str, family: int) -> None:
    """The name of a new chain. Raises ParameterProblem."""
    if blen(name) >= EXTENSION_NAME_MAX:
        raise ParameterProblem(f"chain name `{name}' too long (must be under {EXTENSION_NAME_MAX} chars)")
    if name[:1] in ("-", "!") and name:
        raise ParameterProblem(f"chain name not allowed to start with `{name[0]}'")
    if name in STANDARD or registry.find_target(name, family) is not None:
        raise ParameterProblem("chain name may not clash with target name")
    if any(c in SPACE for c in name):
        raise ParameterProblem(f"Invalid chain name `{name}'")


def rule_number(text: str) -> int:
    """1 and up, in any base. Raises ParameterProblem."""
    value = strict(text, 1, 0x7FFFFFFF)
    if value is None:
        raise ParameterProblem(f"Invalid rule number `{text}'")
    return value


def delete_number(text: str) -> int:
    """The number of ``-D`` (strtol, decimal): no ranges outside ebtables. Raises ParameterProblem."""
    if ":" in text:
        raise ParameterProblem("Rule ranges are not supported")
    value = strict(text, 0, U64, 10)
    if not value:
        raise ParameterProblem(f"Invalid rule number `{text}'")
    return value


def _scan_counter(text: str) -> int | None:
    """sscanf("%llu"): leading digits, a sign wraps around."""
    value = _leading(text, 10)
    return None if value is None else value & U64 if abs(value) <= U64 else U64


def _scan_signed(text: str | None) -> int | None:
    """sscanf("%i")."""
    return None if text is None else _leading(text, 0)


def _leading(text: str, base: int) -> int | None:
    from iptables_emu.options.numbers import scan

    body = text.lstrip(SPACE)
    sign = -1 if body[:1] == "-" else 1
    found = scan(body[1:] if sign < 0 else body, base=base) if body[1:2] != "-" else None
    return None if found is None else sign * found[0]
