"""A command line of ``conntrack``, read (conntrack-tools: do_parse)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from iptables_emu.conntrack import tuples as t
from iptables_emu.ext.cnumbers import strtoul
from iptables_emu.model.address import FULL, parse_plain, prefix_mask
from iptables_emu.options.numbers import U8, U16, U32, atoi
from iptables_emu.options.types import inet_aton
from iptables_emu.text.conntrack import tables
from iptables_emu.text.conntrack.errors import Exit, other, parameter
from iptables_emu.text.conntrack.protocols import CONNECTION, MASK, TUPLE, UNKNOWN, Handler, find
from iptables_emu.text.getopt import Getopt, OptionSet

NO_LABELS = "nfct_labelmap_new: No such file or directory\n"  # /etc/xtables/connlabel.conf
ADDRESS_ROOM = 45  # INET6_ADDRSTRLEN - 1
TABLES = ("expect", "conntrack", "dying", "unconfirmed")
STATUS = {"ASSURED": t.ASSURED, "SEEN_REPLY": t.SEEN_REPLY, "UNSET": 0, "FIXED_TIMEOUT": t.FIXED_TIMEOUT,
          "EXPECTED": t.EXPECTED, "OFFLOAD": t.OFFLOAD, "HW_OFFLOAD": t.HW_OFFLOAD}  # fmt: skip
EVENTS = {"ALL": 7, "NEW": 1, "UPDATES": 2, "DESTROY": 4}
XML, EXTENDED, TIMESTAMP, ID, KTIMESTAMP, LABELS, SAVE = (1 << bit for bit in range(7))
OUTPUT = {"xml": XML, "extended": EXTENDED, "timestamp": TIMESTAMP, "id": ID, "ktimestamp": KTIMESTAMP,
          "labels": LABELS, "userspace": 0, "save": SAVE}  # fmt: skip
KEYS = {"s": "orig_src", "d": "orig_dst", "r": "repl_src", "q": "repl_dst", "[": "orig_src", "]": "orig_dst",
        "{": "orig_src", "}": "orig_dst", "n": "snat", "g": "dnat", "j": "orig_src"}  # fmt: skip
MASKED = {"s": "{", "d": "}", "[": "{", "]": "}"}
NAMED = {"w": "zone", "(": "orig_zone", ")": "repl_zone", "i": "id", "c": "secmark"}
NONSENSE = -1  # what a slip of the real program leaves in an attribute: no entry has it


@dataclass(slots=True)
class Command:
    """What was asked for. The objects hold attributes by name; ``ct`` is the connection, or an expectation's master.

    ``letter`` is that of the command, with x before it for expectations; "" is none.
    """

    letter: str = ""
    table: str = "conntrack"
    options: set[str] = field(default_factory=set)
    family: int = 0
    ct: dict[str, Any] = field(default_factory=dict)
    expected: dict[str, Any] = field(default_factory=dict)
    mask: dict[str, Any] = field(default_factory=dict)
    mark: int = 0
    mark_mask: int = U32
    mark_filter: tuple[int, int] | None = None  # the kernel's, before -u has had its say
    status_mask: int = 0
    status: int | None = None
    events: int = 0
    output: int = 0
    buffer: int = 0
    handler: Handler | None = None
    number: int = 0
    warnings: str = ""


class Parser:
    """Reads one command line; ``output`` lasts for all lines of a file, as in the real program."""

    def __init__(self, output: int = 0) -> None:
        self.command = Command(output=output)
        self.handler_offset = 0
        self.said: set[int] = set()  # flags of the protocol

    def parse(self, argv: Sequence[str]) -> Command:
        """The command. Raises Exit."""
        try:
            return self._parse(argv)
        except Exit as error:
            raise Exit(error.status, self.command.warnings + error.text) from None

    def _parse(self, argv: Sequence[str]) -> Command:
        self.getopt = Getopt(argv, OptionSet(tables.SHORTS, (tables.LONGS,)))
        while self.getopt.next():
            kind, now = self.getopt.kind, self.getopt.index
            if kind == "missing":
                raise parameter(f"option `{argv[now - 1]}' requires an argument")
            if kind == "unknown":
                raise parameter(f"unknown option `{argv[now - 2 if self.getopt.cluster else now - 1]}'")
            if kind == "option":
                self._option(self.getopt.val, self.getopt.arg)
        self._settle()
        return self.command

    # -- options ---------------------------------------------------------------------------------

    def _option(self, val: str | int, arg: str | None) -> None:
        command = self.command
        if isinstance(val, int):
            self._of_protocol(val, arg or "")
        elif val in tables.COMMANDS:
            self._command(val)
        elif val in "sdrq":
            self._address(val, arg or "", command.ct)
        elif val in "[]":
            self._address(val, arg or "", command.expected)
        elif val in "{}":
            self._address(val, arg or "", command.mask)
        elif val == "a":
            command.warnings += f"WARNING: ignoring -{val}, deprecated option.\n"
        elif val in "ngj":
            self._nat(val)
        elif val in "l<>":
            self._label(val, arg)
        else:
            command.options.add(val)
            self._plain(val, arg or "")

    def _command(self, letter: str) -> None:
        command, word = self.command, self._optional()
        table = "conntrack" if word is None else word
        found = next((name for name in TABLES if name.startswith(table)), None)
        if found is None:
            raise parameter(f"unknown type `{table}'")
        command.table = found
        if found in ("dying", "unconfirmed") and letter != "L":
            raise parameter("Can't do that command with tables `dying' and `unconfirmed'")
        meant = tables.COMMANDS[letter][found == "expect"]
        if not meant:
            raise parameter(f"Can't do --{tables.LONG_OF[letter]} on expectations")
        if command.letter:
            raise parameter("Invalid commands combination")
        command.letter = meant

    def _optional(self) -> str | None:
        """The word that follows, where it is no option; one that hangs on the option is lost (get_optional_arg)."""
        if self.getopt.arg is None and not self.getopt.cluster and self.getopt.has_arg():
            return self.getopt.take()
        return None

    def _plain(self, val: str, arg: str) -> None:
        command = self.command
        if val == "p":
            self._protocol(arg)
        elif val == "t":
            command.ct["timeout"] = atoi(arg) & U32
        elif val == "u":
            self._status(arg)
        elif val == "e":
            command.events |= self._names(arg, EVENTS)
        elif val == "o":
            command.output |= self._names(arg, OUTPUT)
            command.warnings += NO_LABELS if command.output & LABELS else ""
            if command.output & SAVE and command.output & ~SAVE:
                raise other("cannot combine save output with any other output type, use -o save only")
        elif val == "m":
            mark, rest = strtoul(arg)
            command.mark = mark & U32
            command.mark_mask = strtoul(rest[1:])[0] & U32 if rest[:1] == "/" else U32
            command.mark_filter = command.mark, command.mark_mask
        elif val in NAMED:
            command.ct[NAMED[val]] = strtoul(arg)[0] & (U32 if val in "ic" else U16)
        elif val == "f":
            if arg[:4] not in ("ipv4", "ipv6"):
                raise parameter(f"`{arg}' unsupported protocol")
            self._family(int(arg[3]))
        elif val == "b":
            command.buffer = atoi(arg)

    def _protocol(self, name: str) -> None:
        found = find(name)
        if found is None:
            raise parameter(f"`{name}' unsupported protocol")
        command = self.command
        command.handler, command.number = found
        command.ct["orig_l4"] = command.number
        self.handler_offset += 256
        known = self.getopt.options
        self.getopt.options = OptionSet(known.shorts, (*known.longs, command.handler.longs(self.handler_offset)))

    def _family(self, family: int) -> None:
        if self.command.family not in (0, family):
            raise parameter("mismatched address family")
        self.command.family = family

    def _names(self, arg: str, known: dict[str, int]) -> int:
        """The sum of names, each of which may be cut short (parse_parameter)."""
        value = 0
        parts = arg.split(",")
        for at, part in enumerate(parts):
            number = self._name(part, known)
            if number is None:
                raise parameter(f"Bad parameter `{','.join(parts[at:])}'")
            value |= number
        return value

    def _name(self, part: str, known: dict[str, int]) -> int | None:
        if not part:
            return None
        for nat in ("SRC_NAT", "DST_NAT"):
            if nat.startswith(part.upper()):
                self.command.warnings += f"WARNING: ignoring {nat}, use --{nat[:3].lower()}-nat instead\n"
                return 0
        return next((value for name, value in known.items() if name.upper().startswith(part.upper())), None)

    def _status(self, arg: str) -> None:
        """Those set, and after ! those that must not be (parse_parameter_mask)."""
        command, parts = self.command, arg.split(",")
        command.status = command.status or 0
        for at, part in enumerate(parts):
            rest = ",".join(parts[at:])
            if part.startswith("UNREPLIED"):
                command.status_mask |= t.SEEN_REPLY
                continue
            bare = part.removeprefix("!")
            number = self._name(bare, STATUS)
            if number is None:
                raise parameter(f"Bad parameter `{rest.removeprefix('!') if part else rest}'")
            if part == bare:
                command.status |= number
            else:
                command.status_mask |= number
        command.ct["status"] = command.status
        command.mark = command.status  # a slip of 1.4.7: -u after -m takes the mark's place
        command.status_mask = command.status_mask or command.status

    # -- addresses -------------------------------------------------------------------------------

    def _address(self, val: str, arg: str, into: dict[str, Any], *, masks: bool = True) -> tuple[int, int]:
        """(family, address); it is noted in ``into`` (nfct_parse_addr_from_opt)."""
        bare, slash, bits = arg[:ADDRESS_ROOM].partition("/")
        value: int | None = inet_aton(re.split(r"\s", bare, maxsplit=1)[0])  # glibc looks no further than a blank
        family = 4
        if value is None:
            value, family = parse_plain(bare, 6), 6
        length = -1
        if slash:
            found = re.fullmatch(r"\s*([+-]?[0-9]+)", bits)
            length = atoi(found.group(1)) if found else 0 if not bits else -2
            length = -2 if length < 0 or length > (32 if family == 4 else 128) else length
        if value is None:
            raise parameter(f"Invalid IP address `{arg}'")
        self._family(family)
        if slash and val not in MASKED:
            raise parameter(f"CIDR notation unavailable for `--{tables.LONG_OF[val]}'")
        if length == -2:
            raise parameter("Invalid netmask")
        self._note(val, into, family, value)
        if masks and length >= 0 and prefix_mask(length, family) != FULL[family]:
            self._note(MASKED[val], self.command.mask, family, prefix_mask(length, family))
        return family, value

    def _note(self, val: str, into: dict[str, Any], family: int, value: int) -> None:
        self.command.options.add(val)
        into[KEYS[val]] = NONSENSE if val == "j" else value
        if val != "j":
            into["repl_l3" if val in "rq" else "orig_l3"] = family

    def _nat(self, val: str) -> None:
        command = self.command
        command.options.add(val)
        arg = self._optional()
        if arg is None:
            return
        address, port = split_port(arg)
        family, value = self._address(val, address, command.ct, masks=False)
        for end in ("dnat", "snat") if val == "j" else (KEYS[val],):
            command.ct[end] = value
            command.ct[f"{end}_family"] = family
            if port is not None:
                command.ct[f"{end}_port"] = port

    def _label(self, val: str, arg: str | None) -> None:
        options = self.command.options
        options.add(val)
        self.command.warnings += NO_LABELS
        if {"<", ">"} <= options:
            raise other("cannot use --label-add and --label-del at the same time")
        if val == ">":
            arg = self._optional()
        if arg is not None:
            raise parameter(f"unknown label '{arg.partition(',')[0]}'")

    # -- what a protocol adds ----------------------------------------------------------------------

    def _of_protocol(self, at: int, arg: str) -> None:
        handler, command = self.command.handler, self.command
        assert handler is not None
        if at >= len(handler.keys):
            return
        self.said.add(at)
        where, key = handler.keys[at]
        into = {CONNECTION: command.ct, TUPLE: command.expected, MASK: command.mask}[where]
        value: int | str
        if key in ("tcp", "sctp", "dccp"):
            value = self._state(handler, arg)
        elif key == "dccp_role":
            if not arg or not any(role.startswith(arg.lower()) for role in ("client", "server")):
                raise parameter(f"Unknown DCCP role `{arg}'")
            value = arg
        elif key in ("orig_vtag", "repl_vtag"):
            value = atoi(arg) & U32
        elif key.startswith("icmp"):
            value = atoi(arg) & (U16 if key == "icmp_id" else U8)
            self._icmp(key, value)
            return
        else:
            value = (strtoul(arg)[0] if "key" in handler.flags[at] else atoi(arg)) & U16
            number = handler.number
            if where == TUPLE and handler.odd_tuple:
                number = value >> 8
            into["repl_l4" if key.startswith("repl") else "orig_l4"] = number
        into[key] = value

    def _state(self, handler: Handler, arg: str) -> str:
        if handler.name == "tcp" and arg == "LISTEN":
            return "SYN_SENT2"
        if arg not in handler.states:
            word = "Unknown" if handler.name == "dccp" else "unknown"
            raise parameter(f"{word} {handler.name.upper()} state `{arg}'")
        return arg

    def _icmp(self, key: str, value: int) -> None:
        """Type, code and id; the reply's type is known only when the family is (set_attr_icmp_type)."""
        ct = self.command.ct
        ct[key] = value
        ct["orig_l4"] = self.command.number
        if "repl_l3" in ct:
            ct["repl_l4"] = self.command.number
        if key == "icmp_type":
            inverse = {4: t.ICMP_INVERSE, 6: t.ICMPV6_INVERSE}.get(ct.get("orig_l3", 0), {})
            ct["icmp_reply_type"] = inverse.get(value, U8)

    # -- at the end --------------------------------------------------------------------------------

    def _settle(self) -> None:
        command = self.command
        if not command.family and command.letter not in ("L", "U", "D", "G", "F", "E"):
            command.family = 4
        if "j" in command.options and command.options & {"n", "g"}:
            raise parameter("cannot specify `--src-nat' or `--dst-nat' with `--any-nat'")
        letters = [letter for letter, _ in tables.OPTIONS]
        names = [name for _, name in tables.OPTIONS]
        said = {at for at, letter in enumerate(letters) if letter in command.options}
        places = [{letters.index(each) for each in couple} for couple in tables.COUPLES]
        check(said, tables.TAKES.get(command.letter, tables.NONE), names, places, tables.COUPLE_NAMES)
        handler = command.handler
        if handler is UNKNOWN and "repl_l3" in command.ct:
            command.ct["repl_l4"] = command.number
        if handler is not None and command.letter not in ("h", "") and handler.takes:
            takes = handler.takes.get(command.letter, "0" * len(handler.flags))
            check(self.said, takes, handler.flags, [{0, 1}, {2, 3}], handler.couple_names)


def check(
    said: set[int], takes: str, names: Sequence[str], couples: Sequence[set[int]], words: Sequence[tuple[str, str]]
) -> None:
    """Whether a command takes what was said and has what it needs (generic_opt_check). Raises Exit."""
    for at, digit in enumerate(takes):
        if at not in said and digit == tables.NEEDED:
            raise parameter(f"You need to supply the `--{names[at]}' option for this command")
        if at in said and digit == tables.ILLEGAL:
            raise parameter(f"Illegal option `--{names[at]}' with this command")
    if tables.COUPLED not in takes or any(couple <= said for couple in couples):
        return
    partial = next((at for at, couple in enumerate(couples) if couple & said), 0)
    first, second = words[partial]
    raise parameter(f"you have to specify `--{first}' and `--{second}'")


def split_port(arg: str) -> tuple[str, int | None]:
    """``address:port``, ``[address]:port`` or an address alone (split_address_and_port). Raises Exit."""
    before, bracket, rest = arg.partition("[")
    if bracket:
        inside, closing, after = rest.partition("]")
        if closing and not inside:
            raise parameter("No IPv6 address specified")
        if not closing:
            raise parameter("No closing ']' around IPv6 address")
        _, colon, port = after.partition(":")
        if not colon:
            return arg, None
        address = inside
    else:
        address, colon, port = before.partition(":")
        if not colon or ":" in port:
            return arg, None
    if not port:
        raise parameter("No port specified after `:'")
    if not re.fullmatch("[0-9]+", port) or len(port.lstrip("0")) > 5 or atoi(port.lstrip("0")) > U16:
        raise parameter(f"Invalid port `{port}'")
    return address, atoi(port)
