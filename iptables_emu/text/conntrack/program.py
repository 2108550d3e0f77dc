"""The ``conntrack`` program on a connection table (conntrack-tools 1.4.7: do_command_ct)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

from iptables_emu.conntrack import ctnetlink, record
from iptables_emu.conntrack.core import Conntrack
from iptables_emu.conntrack.ctnetlink import CtError
from iptables_emu.conntrack.record import DESTROY, NEW, SECOND, UPDATE, Entry, Expected, Told
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.text.conntrack import output, xml
from iptables_emu.text.conntrack.command import EXTENDED, ID, KTIMESTAMP, SAVE, TIMESTAMP, XML, Command, Parser
from iptables_emu.text.conntrack.errors import PROGRAM, Exit, failed, parameter, refusal
from iptables_emu.text.conntrack.help import of_protocol, usage
from iptables_emu.text.conntrack.match import META, ORIG, REPL, agrees, attributes, fits, nat_fits, network_fits, wanted
from iptables_emu.text.conntrack.request import changed, to_change, to_create, to_get, tuple_of
from iptables_emu.text.conntrack.tables import COMPARED
from iptables_emu.text.lexer import words
from iptables_emu.text.programs import Result

LEAST_BUFFER = 2304  # SOCK_MIN_RCVBUF
_SHOWN = {"L": "flow entries have been shown", "G": "flow entries have been shown",
          "I": "flow entries have been created", "U": "flow entries have been updated",
          "D": "flow entries have been deleted",
          "A": "flow entries have been added", "E": "flow events have been shown",
          "xL": "expectations have been shown", "xD": "expectations have been shown",
          "xE": "expectation events have been shown"}  # fmt: skip
_MAY_BE_NONE = ("L", "xL", "A", "E", "xE")  # of these none is no failure
_IN_FILES = ("I", "A", "U", "D", "F")
_UNSUPPORTED = {"xI": "-C expect", "V": "-V", "h": "-h"} | {c: f"-{c}" for c in "LGECS"}
_EVENT = {NEW: 1, UPDATE: 2, DESTROY: 4}


@dataclass(slots=True)
class Run:
    """One command at work: ``out`` and ``err`` are what it has written, ``count`` the entries it met."""

    core: Conntrack
    command: Command
    program: str
    portid: int
    out: str = ""
    err: str = ""
    count: int = 0
    head: str = ""  # of the XML document that has been begun

    def carry_out(self) -> None:
        """Raises Exit."""
        letter = self.command.letter
        try:
            {"L": self._list, "G": self._get, "I": self._create, "A": self._create, "U": self._update,
             "D": self._delete, "F": self._flush, "E": self._events, "C": self._number, "S": self._statistics,
             "xL": self._list_expected, "xG": self._get_expected, "xD": self._delete_expected,
             "xI": self._create_expected, "xF": self._flush_expected, "xE": self._events, "xC": self._number,
             "xS": self._statistics}.get(letter, self._tell)()  # fmt: skip
        except CtError as error:
            raise failed(str(error), letter) from None
        if self.head and letter not in ("G", "xG"):  # whose documents the real program leaves open
            self.out += f"</{self.head}>\n"

    def finish(self) -> int:
        """The count, and the status (print_stats)."""
        letter = self.command.letter
        if letter in _SHOWN:
            self.err += f"{PROGRAM}: {self.count} {_SHOWN[letter]}.\n"
        return 1 if letter in _SHOWN and not self.count and letter not in _MAY_BE_NONE else 0

    # -- connections -----------------------------------------------------------------------------

    def _check_masks(self) -> None:
        for mask, address, word in (("{", "s", "src"), ("}", "d", "dst")):
            if mask in self.command.options and address not in self.command.options:
                raise parameter(f"Can't use --mask-{word} without --{word}")

    def _line(self, entry: Entry, kind: str = "", at: int = 0, saved: str = NEW) -> str:
        """An entry as the output options ask; ``kind`` and ``at`` are the event's."""
        asked, now = self.command.output, at or self.core.now
        times = bool(asked & KTIMESTAMP)
        if asked & SAVE:
            return output.saved(entry, kind or saved)
        if asked & XML:
            return xml.flow(entry, now, kind, at if asked & TIMESTAMP else 0, times=times)
        return output.line(entry, now, kind, extended=bool(asked & EXTENDED), ident=bool(asked & ID), times=times)

    def _begin(self, head: str) -> None:
        if self.command.output & XML and not self.head:
            self.out += f"{xml.HEAD}<{head}>\n"
            self.head = head

    def _list(self) -> None:
        command = self.command
        if command.table in ("dying", "unconfirmed"):
            return  # nothing is on its way between two commands
        if "z" in command.options and command.options & COMPARED:
            raise parameter("Can't use -z with filtering parameters")
        self._check_masks()
        asked = wanted(command)
        status = None if command.status is None else (command.status, command.status_mask)
        for conn, entry in ctnetlink.listing(self.core, command.family, command.mark_filter, status):
            if "z" in command.options:
                ctnetlink.zero(conn)
            if fits(command, entry, asked):
                self._begin("conntrack")
                self.out += self._line(entry) + "\n"
                self.count += 1

    def _get(self) -> None:
        if "orig_l3" not in self.command.ct:
            raise CtError("EINVAL")  # the library's, which will not ask for a reply alone
        conn = ctnetlink.find(self.core, to_get(self.command))
        entry = record.of_listing(conn, self.core.now, holders=1)
        if fits(self.command, entry, wanted(self.command)):
            self._begin("conntrack")
            self.out += self._line(entry) + "\n"
            self.count += 1

    def _create(self) -> None:
        try:
            ctnetlink.create(self.core, to_create(self.command), self.portid)
            self.count += 1
        except CtError as error:
            if str(error) != "EEXIST" or self.command.letter != "A":
                raise

    def _delete(self) -> None:
        command = self.command
        self._check_masks()
        asked = wanted(command)
        for conn, entry in ctnetlink.listing(self.core, command.family, command.mark_filter):
            if fits(command, entry, asked):
                self.core.kill(conn, self.portid)
                self.out += self._line(entry, saved=DESTROY) + "\n"
                self.count += 1

    def _flush(self) -> None:
        self.core.record.told.clear()  # the record begins anew
        self.core.flush(self.portid)
        self.err += f"{PROGRAM}: connection tracking table has been emptied.\n"

    def _update(self) -> None:
        """Each change is asked for and then looked at; the real program reads one message after each request, and
        leaves the acknowledgement of the look for the next one to find: so it shows every third entry or so."""
        command = self.command
        self._check_masks()
        unread: list[Entry | str] = []  # entries, and errnos ("" is success)
        for _, entry in list(ctnetlink.listing(self.core, command.family)):
            new = changed(command, entry)
            if not self._to_update(entry) or agrees(new, attributes(entry), META, fully=True):
                continue
            unread.append(self._try_change(entry, new))
            answer = unread.pop(0)
            if isinstance(answer, str) and answer:
                self.err += f"Operation failed: {refusal(answer, 'U')}\n"
            unread += self._look(entry)
            answer = unread.pop(0)
            if isinstance(answer, Entry):
                self.out += self._line(answer) + "\n"
            elif answer == "ENOENT":
                continue
            elif answer:
                raise failed(answer, "U")
            self.count += 1

    def _to_update(self, entry: Entry) -> bool:
        command, asked, has = self.command, wanted(self.command), attributes(entry)
        if not nat_fits(command, entry) or not network_fits(command, has):
            return False
        if "id" in asked and asked["id"] != entry.ident:
            return False
        sides = (({*"sdp"}, ORIG), ({*"rqp"}, REPL))
        return all(not command.options & letters or agrees(asked, has, names) for letters, names in sides)

    def _try_change(self, entry: Entry, new: dict[str, int]) -> str:
        """The errno, or "". The message names the family of the command, which the kernel insists on."""
        if not self.command.family:
            return "EOPNOTSUPP"
        try:
            ctnetlink.change(self.core, to_change(self.command, entry, new), self.portid)
        except CtError as error:
            return str(error)
        return ""

    def _look(self, entry: Entry) -> list[Entry | str]:
        if not self.command.family:
            return ["EOPNOTSUPP"]
        try:
            conn = ctnetlink.find(self.core, ctnetlink.Request(entry.original))
        except CtError as error:
            return [str(error)]
        return [record.of_listing(conn, self.core.now, holders=1), ""]

    # -- expectations ------------------------------------------------------------------------------

    def _expected(self, one: Expected, kind: str = "", at: int = 0) -> None:
        asked, now = self.command.output, at or self.core.now
        self._begin("expect")
        if asked & XML:
            self.out += xml.expectation(one, kind, now if asked & TIMESTAMP else 0) + "\n"
        else:
            micro = now // 1000
            self.out += f"[{micro // 1_000_000:<8}.{micro % 1_000_000:<6}]\t" if asked & TIMESTAMP else ""
            self.out += output.expected_line(one, kind) + "\n"
        self.count += 1

    def _list_expected(self) -> None:
        for one in ctnetlink.expectations(self.core, self.command.family if "f" in self.command.options else 0):
            self._expected(one)

    def _get_expected(self) -> None:
        key = tuple_of(self.command.ct, "orig")
        assert key is not None
        self._expected(record.expected(ctnetlink.find_expectation(self.core, key), self.core.now))

    def _delete_expected(self) -> None:
        key = tuple_of(self.command.ct, "orig")
        assert key is not None
        self.core.expectations.remove(ctnetlink.find_expectation(self.core, key))

    def _create_expected(self) -> None:
        command = self.command
        master, asked, mask = (tuple_of(o, "orig") for o in (command.ct, command.expected, command.mask))
        assert master is not None and asked is not None and mask is not None
        ctnetlink.create_expectation(self.core, asked, mask, master)

    def _flush_expected(self) -> None:
        ctnetlink.flush_expectations(self.core)
        self.err += f"{PROGRAM}: expectation table has been emptied.\n"

    # -- the rest ----------------------------------------------------------------------------------

    def _events(self) -> None:
        """What has happened since the record began."""
        command = self.command
        if command.buffer:
            size = max(2 * command.buffer, LEAST_BUFFER)
            self.err += f"NOTICE: Netlink socket buffer size has been set to {size} bytes.\n"
        self._check_masks()
        asked = wanted(command)
        for one in self.core.record.told:
            if isinstance(one.entry, Expected):
                if command.letter == "xE":
                    self._expected(one.entry, one.kind, one.at)
            elif command.letter == "E" and self._heard(one, one.entry) and fits(command, one.entry, asked):
                self._event(one, one.entry)

    def _heard(self, one: Told, entry: Entry) -> bool:
        mask = self.command.events if "e" in self.command.options else 7
        return bool(mask & _EVENT[one.kind]) and self.command.family in (0, entry.original.family)

    def _event(self, one: Told, entry: Entry) -> None:
        asked = self.command.output
        if not asked & SAVE:
            self._begin("conntrack")
        if asked & TIMESTAMP and not asked & (XML | SAVE):
            self.out += f"[{one.at // SECOND:08d}.{one.at % SECOND // 1000:06d}]\t"
        by = f" [USERSPACE] portid={one.portid}" if one.portid else ""
        self.out += f"{self._line(entry, one.kind, one.at)}{by}\n"
        self.count += 1

    def _number(self) -> None:
        if self.command.letter == "C":
            self.out += f"{len(self.core.table)}\n"
        else:
            self.out += f"{len(ctnetlink.expectations(self.core, self.command.family))}\n"

    def _statistics(self) -> None:
        """One line: there is one CPU."""
        of_expectations = self.command.letter == "xS"
        stats = self.core.record.stats
        told = [f.name for f in fields(stats) if f.name.startswith("expect") is of_expectations]
        self.out += "cpu=0   \t" + "".join(f"{name}={getattr(stats, name)} " for name in told) + "\n"

    def _tell(self) -> None:
        command = self.command
        if command.letter == "V":
            self.out += f"{PROGRAM}\n"
            return
        self.out += usage(self.program)
        if command.letter == "h" and command.handler is not None:
            self.out += of_protocol(command.handler, command.number)


def run_conntrack(argv: Sequence[str], core: Conntrack, read_input: Callable[[], str], portid: int = 0) -> Result:
    """Run ``argv`` (the program's name first) at the table's own time; events tell of ``portid``."""
    core.expire()
    out = err = ""
    status = 0
    try:
        if len(argv) > 2 and argv[1] in ("-R", "--load-file"):
            commands = _load(argv[0], argv[2], read_input)
        else:
            commands = [Parser().parse(argv)]
        for command in commands:
            run = Run(core, command, argv[0], portid, err=command.warnings)
            try:
                run.carry_out()
                if len(argv) <= 2 or argv[1] not in ("-R", "--load-file"):
                    status = run.finish()
            finally:
                out, err = out + run.out, err + run.err
    except Exit as error:
        status, err = error.status, err + error.text
    return Result(status, out, err)


def _load(program: str, name: str, read_input: Callable[[], str]) -> list[Command]:
    """The commands of a file, - for standard input (ct_parse_file). Raises Exit."""
    try:
        text = read_input() if name in ("-", "/dev/stdin") else _read(name)
    except OSError:
        raise parameter(f"Failed to open file {name} for reading") from None
    commands: list[Command] = []
    for line in text.splitlines(keepends=True):
        bare = line.lstrip(" \t")
        if bare[:1] in ("\n", "#"):
            continue
        try:
            argv = [program, *words(bare)]
        except ParameterProblem as problem:
            raise parameter(str(problem)) from None
        commands.append(Parser(commands[-1].output if commands else 0).parse(argv))
    for command in commands:
        if command.letter not in _IN_FILES:
            letter = command.letter
            word = _UNSUPPORTED.get(letter) or (f"-{letter[1:]} expect" if letter else "unknown")
            raise parameter(f"Cannot use command `{word}' with --load-file")
    return commands


def _read(name: str) -> str:
    with open(name, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
        return file.read()
