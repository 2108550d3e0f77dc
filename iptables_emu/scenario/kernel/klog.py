"""LOG lines, from the kernel log that the whole machine shares."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

LOG_OF_ALL_NAMESPACES: Final = Path("/proc/sys/net/netfilter/nf_log_all_netns")
LOCK: Final = "/run/ipsim-kmsg.lock"
RECORD_SIZE: Final = 8192


class KernelLog:
    """Reads netfilter's lines; runs of several processes that log take turns by a lock.

    The kernel keeps quiet about namespaces unless the sysctl nf_log_all_netns is set; it is left on.
    """

    def __init__(self) -> None:
        self._fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        self._lock = os.open(LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        self._active = False
        LOG_OF_ALL_NAMESPACES.write_text("1")

    def start(self) -> None:
        """From now on lines are this scenario's, until `stop`."""
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        os.lseek(self._fd, 0, os.SEEK_END)
        self._active = True

    def stop(self) -> None:
        """Let others log."""
        if self._active:
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            self._active = False

    def close(self) -> None:
        """Close the log."""
        self.stop()
        os.close(self._fd)
        os.close(self._lock)

    def drain(self) -> list[str]:
        """The lines since the last call."""
        lines = []
        while self._active:
            try:
                record = os.read(self._fd, RECORD_SIZE)
            except BlockingIOError:
                break
            except BrokenPipeError:  # older records were overwritten; the next read goes on behind them
                continue
            line = record.partition(b";")[2].decode(errors="replace").splitlines()[0]
            if ("IN=" in line and "OUT=" in line) or "martian" in line or "ll header" in line:
                lines.append(line)
        return lines
