"""The xtables lock: iptables-legacy lets one program at a time at its tables (xshared.c: xtables_lock).

It is a file beside the state; iptables-nft needs none, the transaction of its state is enough.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from iptables_emu.text.errors import Exit

POLL_SECONDS = 0.02


class XtablesLock:
    """Held from the first ``take`` that succeeds to the end of the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None
        self._held = False

    def take(self, seconds: int) -> bool:
        """Whether it is held now; waits this long for it (0 not at all, -1 for ever). Raises Exit."""
        if self._file is None:
            try:
                self._file = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise Exit(4, f"Fatal: can't open lock file {self.path}: {error.strerror}\n") from None
        until = time.monotonic() + seconds
        while not self._held:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._held = True
            except BlockingIOError:
                if seconds >= 0 and time.monotonic() >= until:
                    break
                time.sleep(POLL_SECONDS)
        return self._held

    def refusal(self, seconds: int) -> Exit:
        """How a program ends that has not got it."""
        hint = "Perhaps you want to use the -w option?" if not seconds else f"Stopped waiting after {seconds}s."
        return Exit(
            4,
            f"Can't lock {self.path}: Resource temporarily unavailable\n"
            f"Another app is currently holding the xtables lock. {hint}\n",
        )

    def read_locking(self) -> str:
        """Standard input, bytes kept. The lock is taken, if it is free, where its first table begins: a restore
        that is still being written holds others off."""
        lines = []
        for line in sys.stdin.buffer:
            lines.append(line)
            if line[:1] == b"*":
                with suppress(Exit):  # told when the program asks for it
                    self.take(0)
                break
        lines.append(sys.stdin.buffer.read())
        return b"".join(lines).decode("utf-8", "surrogateescape")
