"""How a run of ``conntrack`` ends early, and the kernel's refusals in its words (conntrack-tools: conntrack.c)."""

from __future__ import annotations

from iptables_emu.text.strerror import STRERROR

PROGRAM = "conntrack v1.4.7 (conntrack-tools)"
OTHER_PROBLEM, PARAMETER_PROBLEM = 1, 2
_TRY = "Try `conntrack -h' or 'conntrack --help' for more information.\n"
_NO_ENTRY = "such conntrack doesn't exist"
# (commands, errno) -> words; commands by their letters, x before those on expectations
_MESSAGES = (
    ("", "EINVAL", "invalid parameters"),
    ("I", "EEXIST", "Such conntrack exists, try -U to update"),
    ("IGDA", "ENOENT", _NO_ENTRY),
    ("xI", "ENOENT", "master conntrack not found"),
    ("", "EPERM", "sorry, you must be root or get CAP_NET_ADMIN capability to do this"),
)
_BEYOND_16_BITS = ("xC", "S", "xS", "A")  # the commands that "invalid parameters" does not reach


class Exit(Exception):
    """The program ends; ``text`` goes to standard error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


def parameter(text: str) -> Exit:
    """The words make no sense."""
    return Exit(PARAMETER_PROBLEM, f"{PROGRAM}: {text}\n{_TRY}")


def other(text: str) -> Exit:
    return Exit(OTHER_PROBLEM, f"{PROGRAM}: {text}\n")


def refusal(errno: str, command: str) -> str:
    """What the kernel said, in words (err2str)."""
    for commands, name, words in _MESSAGES:
        letters = [commands] if commands.startswith("x") else [*commands]
        if name == errno and (command in letters or not letters):
            if errno == "EINVAL" and command in _BEYOND_16_BITS:
                continue
            return words
    return STRERROR.get(errno, errno)


def failed(errno: str, command: str) -> Exit:
    return other(f"Operation failed: {refusal(errno, command)}")
