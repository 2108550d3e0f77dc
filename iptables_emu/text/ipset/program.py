"""``ipset``: the command line, batches, and the commands (libipset: ipset.c)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from iptables_emu.host.ipset.element import SetError
from iptables_emu.host.ipset.sets import IpSets
from iptables_emu.text.ipset import values
from iptables_emu.text.ipset.batch import MAX_WORDS, Waiting, lines_of, split_line
from iptables_emu.text.ipset.errors import explain
from iptables_emu.text.ipset.output import element_text, list_set
from iptables_emu.text.ipset.request import element_bytes, first_bytes, fits, options_of, request_of
from iptables_emu.text.ipset.session import NONE, NOTICE, PROGRAM, Problem, Session, Stop
from iptables_emu.text.ipset.tables import ADT_OPTIONS, CREATE_OPTIONS, NUMBER, OPTIONS, TYPES, Arg, TypeWords, allowed
from iptables_emu.text.programs import Result

BUG = "It's a bug, please report the problem."
# name, other names, how many arguments it wants (-1: one or none)
COMMANDS: tuple[tuple[tuple[str, ...], int], ...] = (
    (("create", "new", "-N"), 2), (("add", "-A"), 2), (("del", "-D"), 2), (("test", "-T"), 2),
    (("destroy", "x", "-X"), -1), (("list", "-L"), -1), (("save", "-S"), -1), (("restore", "-R"), 0),
    (("flush", "-F"), -1), (("rename", "e", "-E"), 2), (("swap", "w", "-W"), 2), (("help", "-h", "-H"), -1),
    (("version", "-v", "-V"), 0), (("quit",), 0),
)  # fmt: skip
ENVIRONMENT = (("-o", "-output"), ("-s", "-sorted"), ("-q", "-quiet"), ("-r", "-resolve"), ("-!", "-exist"),
               ("-n", "-name"), ("-t", "-terse"), ("-f", "-file"))  # fmt: skip


class Ipset:
    """One run of the program on the sets."""

    def __init__(self, sets: IpSets, read_input: Callable[[], str] = lambda: "") -> None:
        self.sets, self.read_input = sets, read_input
        self.s = Session()
        self.out: list[str] = []
        self.err: list[str] = []
        self.line = 0  # of a batch
        self.waiting = Waiting()

    def run(self, words: Sequence[str]) -> Result:
        """Answer the words after the program's name."""
        status = 0
        try:
            self.execute(list(words))
        except Stop as stop:
            status = stop.status
            self.err.append(stop.text)
        text = "".join(self.out)
        if self.s.filename is not None and not self.line and text:
            Path(self.s.filename).write_text(text)
            text = ""
        return Result(status, text, "".join(self.err))

    def execute(self, words: list[str]) -> None:
        """One command line. Raises Stop."""
        if len(words) >= MAX_WORDS:
            raise self.s.parameter("Line is too long to parse.")
        self.s.lineno = self.line
        try:
            words = self._environment(words)
            command, first, second, rest = self._command(words)
            self._dispatch(command, first, second, rest)
        except Problem:
            raise self.s.end() from None
        if self.s.level > NONE:
            raise self.s.end()

    # -- words -----------------------------------------------------------------------------------

    def _environment(self, words: list[str]) -> list[str]:
        """Take the options that may stand anywhere."""
        if not any(word[:1] == "-" for word in words):
            return words
        for names in ENVIRONMENT:
            at = 0
            while at < len(words):
                word = words[at][1:] if words[at][:2] == "--" else words[at]
                if word not in names:
                    at += 1
                    continue
                words = words[:at] + words[at + 1 :]
                if names[0] in ("-o", "-f"):
                    if at >= len(words):
                        raise self.s.parameter(f"Missing mandatory argument to option {names[0]}")
                    self._setting(names[0], words[at])
                    words = words[:at] + words[at + 1 :]
                else:
                    self._setting(names[0], "")
        return words

    def _setting(self, name: str, value: str) -> None:
        s = self.s
        if name == "-o":
            if value not in ("plain", "xml", "save"):
                raise s.syntax(f"unknown output mode '{value}'")
            s.output = value
        elif name == "-f":
            if s.filename is not None:
                raise s.parameter("-file option cannot be used when full io is activated")
            s.filename = value
        s.sorted |= name == "-s"
        s.quiet |= name == "-q"
        s.exist |= name == "-!"
        s.names_only |= name == "-n"
        s.terse |= name == "-t"

    def _command(self, words: list[str]) -> tuple[str, str | None, str, list[str]]:
        """(command, first argument, second, the rest). Raises Stop."""
        found = _command_of(words[0]) if words else None
        if found is None:
            if words:
                raise self.s.parameter(f"No command specified: unknown argument {words[0]}")
            raise self.s.parameter("No command specified.")
        (command, *_), wants = found
        if self.line and command in ("restore", "version", "help"):
            raise self.s.parameter(f"Command `{command}' is invalid in restore mode.")
        rest = words[1:]
        if wants == 2 and len(rest) < 2:
            which = "second mandatory" if rest else "mandatory"
            raise self.s.parameter(f"Missing {which} argument to command {command}")
        if wants == 2:
            return command, rest[0], rest[1], rest[2:]
        if wants == -1:
            return command, rest[0] if rest else None, "", rest[1:]
        return command, None, "", rest

    def _dispatch(self, command: str, first: str | None, second: str, rest: list[str]) -> None:
        s = self.s
        if command == "version":
            self._say(f"{PROGRAM}, protocol version: 7\n")
            raise Stop(0)
        if command == "quit":
            raise Stop(0)
        if command == "help":
            from iptables_emu.text.ipset.help import usage

            self._say(usage(first, s))
            raise Stop(0)
        if command == "create":
            rest = self._parse_create(first or "", second, rest)
        elif command in ("add", "del", "test"):
            rest = self._parse_element(command, first or "", second, rest)
        elif command in ("rename", "swap"):
            s.setname, s.setname2 = values.checked_name(s, first or ""), values.checked_name(s, second)
        elif first is not None:
            s.setname = values.checked_name(s, first)
        if rest:
            raise s.parameter(f"Unknown argument {rest[0]}")
        if command == "restore":
            self._restore()
        else:
            self._carry_out(command, first)

    def _say(self, text: str) -> None:
        self.out.append(text)

    def _parse_create(self, name: str, kind: str, rest: list[str]) -> list[str]:
        s = self.s
        setname = values.checked_name(s, name)
        values.typename(s, kind)
        s.setname = setname
        words = TYPES[s.kind]
        self._options("create", words, s.kind, rest, family=True)
        self._options("create", words, s.kind, rest, family=False)
        self._check("create", words, s.kind)
        return []

    def _parse_element(self, command: str, name: str, element: str, rest: list[str]) -> list[str]:
        s = self.s
        s.setname = values.checked_name(s, name)
        found = self.sets.find(name)
        if found is None:
            raise s.error(explain("ENOENT", "header"))
        kind = s.kind = found.kind.name
        s.family = found.family
        values.element(s, element)
        words = TYPES[kind]
        self._options(command, words, kind, rest, family=False)
        self._check(command, words, kind)
        return []

    def _options(self, command: str, words: TypeWords, kind: str, rest: list[str], family: bool) -> None:
        """Read the words after name and element (call_parser); ``family`` reads only those of the family."""
        if not rest:
            return
        args = words.args(command)
        if not args and rest:
            raise self.s.parameter(f"Unknown argument: `{rest[0]}'")
        at = 0
        while at < len(rest):
            given = rest[at]
            bare = given[2:] if given[:2] == "--" else given
            arg = next((a for a in args if a.name == bare), None)
            if arg is None:
                raise self.s.parameter(f"Unknown argument: `{given}'")
            at += 1
            text = given
            if arg.parse:
                if at >= len(rest):
                    raise self.s.parameter(f"Missing mandatory argument of option `{arg.name}'")
                text, at = rest[at], at + 1
            if (arg.option == "family") is family:
                self._option(arg, text)

    def _option(self, arg: Arg, text: str) -> None:
        s = self.s
        if arg.option in s.data and not (arg.option == "family" and "family" in s.ignored):
            raise s.syntax(f"{arg.name} already specified")
        if arg.parse or arg.option == "family":
            values.READERS[arg.parse or "family"](s, arg.option, text)
        else:
            s.cadt.add(arg.option)

    def _check(self, command: str, words: TypeWords, kind: str) -> None:
        """What is missing, then what may not be there."""
        s = self.s
        given = set(s.data)
        missing = (words.create_need if command == "create" else words.need) - given
        if "cidr" in given:
            missing -= {"ip_to"}
        args = words.args(command)
        if missing and not args:
            raise s.other(f"There are missing mandatory flags but can't check them. {BUG}")
        lacks = next((arg.name for arg in args if arg.option in missing), None)
        if lacks is not None:
            raise s.parameter(f"Mandatory option `{lacks}' is missing")
        may = allowed(kind, command)
        looked_at = CREATE_OPTIONS if command == "create" else ADT_OPTIONS
        for option in () if given <= may else OPTIONS:
            if option in given and option in looked_at and option not in may:
                raise s.other(self._not_allowed(option, command, words, kind))

    def _not_allowed(self, option: str, command: str, words: TypeWords, kind: str) -> str:
        family = {4: "inet", 6: "inet6"}.get(self.s.family, "unspec")
        where = f"is not allowed in command {command} with set type {kind} and family {family}"
        special = {"cidr": "IP/CIDR range", "ip_to": "FROM-TO IP range", "port_to": "FROM-TO port range"}
        if option in special:
            return f"{special[option]} {where}"
        why = "can't resolve them." if words.args(command) else "option list is empty."
        return f"There are not allowed options ({NUMBER[option]}) but {why} {BUG}"

    # -- the kernel ------------------------------------------------------------------------------

    def _carry_out(self, command: str, first: str | None) -> None:
        """Do it, or keep it until the batch goes on. Raises Problem."""
        s = self.s
        if command in ("add", "del", "test", "create") and not s.setname:
            raise s.error(f"Invalid {command} command: missing setname")
        if self.line and command in ("add", "del"):
            self._gather(command)
            return
        self._send_waiting()
        s.lineno = self.line
        try:
            self._ask(command, first)
        except SetError as error:
            raise s.error(explain(error.code, command)) from None
        s.reset()

    def _ask(self, command: str, first: str | None) -> None:
        s, sets, named = self.s, self.sets, None if first is None else self.s.setname
        if command == "create":
            sets.create(s.setname, s.kind, options_of(s), s.exist)
        elif command in ("add", "del"):
            sets.change(s.setname, request_of(s), command, s.exist)
        elif command == "test":
            self._test()
        elif command == "destroy":
            sets.destroy(named, s.exist)
        elif command == "flush":
            sets.flush(named)
        elif command == "rename":
            sets.rename(s.setname, s.setname2)
        elif command == "swap":
            sets.swap(s.setname, s.setname2)
        else:
            self._list(command, named)

    def _test(self) -> None:
        s = self.s
        found = self.sets.test(s.setname, request_of(s))
        if s.quiet:
            if not found:
                raise Stop(1)
            return
        s.report = element_text(s.kind, s.family, s.data)
        if found:
            s.warn(f" is in set {s.setname}.")
        else:
            s.tell(NOTICE, f" is NOT in set {s.setname}.")
            raise Problem

    def _list(self, command: str, named: str | None) -> None:
        s = self.s
        chosen = list(self.sets) if named is None else [self.sets.get(named)]
        mode = s.output = s.output or ("save" if command == "save" else "plain")
        if mode == "xml":
            self._say("<ipsets>\n")
        if s.names_only and mode != "save":
            for one in chosen:
                self._say(f'<ipset name="{one.name}"/>\n' if mode == "xml" else f"{one.name}\n")
        else:
            members = not s.terse or command == "save" or mode == "save"
            texts = [
                list_set(one, self.sets, mode, terse=s.terse, members=members, in_order=s.sorted) for one in chosen
            ]
            self._say(("\n" if mode == "plain" else "").join(texts))
        if mode == "xml":
            self._say("</ipsets>\n")

    # -- batches ---------------------------------------------------------------------------------

    def _restore(self) -> None:
        """The commands of standard input or a file, one a line."""
        text = self.read_input()
        if self.s.filename is not None:
            try:
                text = Path(self.s.filename).read_bytes().decode("utf-8", "surrogateescape")
            except OSError as error:
                raise self.s.error(f"Cannot open {self.s.filename} for reading: {error.strerror}") from None
        for line in lines_of(text):
            self.line += 1
            stripped = line.lstrip(" \t\n\v\f\r")
            if not stripped or stripped[0] == "#":
                continue
            if stripped in ("COMMIT\n", "COMMIT\r\n"):
                self._send_waiting()
                continue
            self.execute(split_line(stripped, self.s))
        self._send_waiting()

    def _gather(self, command: str) -> None:
        s, waiting = self.s, self.waiting
        more = element_bytes(s)
        together = waiting.elements and (waiting.command, waiting.setname) == (command, s.setname)
        if not together or not fits(waiting.bytes, more):
            self._send_waiting()
            self.waiting = waiting = Waiting(command, s.setname, s.exist, first_bytes(s.setname))
        s.lineno = self.line
        waiting.elements.append((self.line, request_of(s)))
        waiting.bytes += more
        s.reset()

    def _send_waiting(self) -> None:
        """Give the kernel what was gathered. Raises Problem."""
        waiting, self.waiting = self.waiting, Waiting()
        for line, request in waiting.elements:
            try:
                self.sets.change(waiting.setname, request, waiting.command, waiting.exist)
            except SetError as error:
                self.s.lineno = line
                raise self.s.error(explain(error.code, waiting.command)) from None


@cache
def _command_of(word: str) -> tuple[tuple[str, ...], int] | None:
    return next(((names, wants) for names, wants in COMMANDS if _names(word, names)), None)


def _names(word: str, names: Sequence[str]) -> bool:
    """Whether a word is a command's name or begins one."""
    bare = word[2:] if word[:2] == "--" else word
    return bool(bare) and word != "-" and any(name.startswith(bare) for name in names)


def run_ipset(argv: Sequence[str], sets: IpSets, read_input: Callable[[], str] = lambda: "") -> Result:
    """``ipset ...`` (the program's name first)."""
    return Ipset(sets, read_input).run(list(argv[1:]))
