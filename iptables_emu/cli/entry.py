"""The programs' entry point: which program is meant, then the shortest way to it.

click is imported only for our own subcommands: iptables' own arguments never pass through it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from iptables_emu.text.programs import program_of

if TYPE_CHECKING:
    from iptables_emu.cli.state import Globals

ALIASES = {
    "iptables-sim": "iptables", "ip6tables-sim": "ip6tables", "iptables-sim-save": "iptables-save",
    "iptables-sim-restore": "iptables-restore", "ip6tables-sim-save": "ip6tables-save",
    "ip6tables-sim-restore": "ip6tables-restore",
}  # fmt: skip
BESIDE = ("ipset", "conntrack")  # programs that are not iptables'
OURS = ("iptables-sim", "ip6tables-sim")
BAD_INPUT, BROKEN, INTERRUPTED = 2, 70, 130  # 70: EX_SOFTWARE


def main() -> NoReturn:
    """Run as the name in argv[0] says; exit with the program's status. Whatever happens, no traceback."""
    from iptables_emu.cli.streams import OutputError, forget, settle

    settle()
    argv = [os.fsencode(a).decode("utf-8", "surrogateescape") for a in sys.argv]
    try:
        status = run(argv[0].rsplit("/", 1)[-1], argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BrokenPipeError:
        forget(sys.stdout)
        status = 0
    except OutputError as error:
        status = _complain(str(error))
    except OSError as error:
        forget(sys.stdout)
        status = _complain(f"{error.filename or 'standard output'}: {error.strerror}")
    except Exception as error:
        if os.environ.get("IPTABLES_SIM_DEBUG"):
            raise
        status = _broken(error)
    sys.exit(status)


def run(called: str, words: Sequence[str], settings: Globals | None = None) -> int:
    """Status of ``called`` with these words. ``settings``: not those of the environment."""
    from iptables_emu.cli.state import BadOption, Globals, run_stateful

    settings = settings or Globals.from_environ(os.environ)
    try:
        words = settings.take(list(words))
        name = settings.as_name or called
        known = program_of(name)
        if name in BESIDE:
            return run_beside(name, words, settings)
        if known is None and name not in ALIASES:
            if settings.as_name:
                raise BadOption(f"--as {name}: no such program; say iptables, ip6tables-legacy-save or the like")
            name = OURS[0]
        asks = [*words] in (["help"], ["--help"])  # for ours; -h is iptables'
        if known is None and name in OURS and words and (asks or words[0][:1] not in ("-", "!")):
            from iptables_emu.cli.main import subcommand

            return subcommand(["--help"] if asks else words, settings)
        return run_stateful([ALIASES.get(name, name), *words], settings)
    except BadOption as error:
        return _complain(str(error))


def run_beside(name: str, words: Sequence[str], settings: Globals) -> int:
    """Status of ``ipset`` or ``conntrack``."""
    if name == "ipset":
        from iptables_emu.cli.ipset import run_stored
    else:
        from iptables_emu.cli.conntrack import run_stored
    return run_stored(words, settings)


def _complain(message: str) -> int:
    from iptables_emu.packet.printable import printable

    print(f"iptables-sim: {printable(message)}", file=sys.stderr)
    return BAD_INPUT


def _broken(error: Exception) -> int:
    """A fault of the program itself, in one line."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = f"{os.path.basename(at.tb_frame.f_code.co_filename)} line {at.tb_lineno}" if at else "nowhere"  # noqa: PTH119
    told = " ".join(str(error).split())
    _complain(
        f"internal error: {type(error).__name__}: {told} ({place}); please report it, IPTABLES_SIM_DEBUG=1 shows more"
    )
    return BROKEN


if __name__ == "__main__":
    main()
