"""``ipset help``: the commands and the set types, from the tables."""

from __future__ import annotations

from iptables_emu.text.ipset.session import PROGRAM, Session
from iptables_emu.text.ipset.tables import TYPES, type_named

_COMMANDS = (
    ("create SETNAME TYPENAME [type-specific-options]", "Create a new set"),
    ("add SETNAME ENTRY", "Add entry to the named set"),
    ("del SETNAME ENTRY", "Delete entry from the named set"),
    ("test SETNAME ENTRY", "Test entry in the named set"),
    ("destroy [SETNAME]", "Destroy a named set or all sets"),
    ("list [SETNAME]", "List the entries of a named set or all sets"),
    ("save [SETNAME]", "Save the named set or all sets to stdout"),
    ("restore", "Restore a saved state"),
    ("flush [SETNAME]", "Flush a named set or all sets"),
    ("rename FROM-SETNAME TO-SETNAME", "Rename a set"),
    ("swap FROM-SETNAME TO-SETNAME", "Swap the contents of two existing sets"),
    ("help [TYPENAME]", "Print help, and settype specific help"),
    ("version", "Print version information"),
    ("quit", "Quit interactive mode"),
)


def usage(kind: str | None, s: Session) -> str:
    """The help text; of one type when it is named. Raises Stop."""
    lines = [PROGRAM, "", "Usage: ipset [options] COMMAND", "", "Commands:"]
    for words, meaning in _COMMANDS:
        lines += [words, f"        {meaning}"]
    if kind is None:
        lines += ["", "Supported set types:", *(f"    {name}" for name in TYPES)]
        return "\n".join(lines) + "\n"
    known = type_named(kind)
    if known is None:
        raise s.parameter(f"Unknown settype: `{kind}'")
    lines += ["", f"{known} type specific options:", ""]
    for command in ("create", "add", "del", "test"):
        args = " ".join(f"[{arg.name}{' VALUE' if arg.parse else ''}]" for arg in TYPES[known].args(command))
        lines.append(f"{command} SETNAME {known if command == 'create' else 'ENTRY'} {args}".rstrip())
    return "\n".join(lines) + "\n"
