"""Commands run inside a namespace, and this thread's privileges."""

from __future__ import annotations

import ctypes
import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

COMMAND_SECONDS: Final = 30.0
LIBC: Final = ctypes.CDLL(None, use_errno=True)


class KernelError(RuntimeError):
    """The kernel run itself failed (not: the ruleset was refused)."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def run_command(argv: list[str], stdin: str = "", check: bool = True) -> Done:
    """Run a command in this thread's network namespace; KernelError if it fails and ``check``.

    posix_spawn and memory files, for starting commands is most of a scenario's time.
    """
    files = [os.memfd_create(name) for name in ("stdin", "stdout", "stderr")]
    try:
        os.write(files[0], stdin.encode())
        os.lseek(files[0], 0, os.SEEK_SET)
        actions = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(files)]
        try:
            pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=actions)
        except FileNotFoundError:
            raise KernelError(f"{argv[0]} is not installed") from None
        code = _wait(pid)
        stdout, stderr = (os.pread(fd, os.fstat(fd).st_size, 0).decode(errors="replace") for fd in files[1:])
    finally:
        for fd in files:
            os.close(fd)
    if check and code:
        raise KernelError(f"{' '.join(argv)}: {stderr.strip() or f'exit status {code}'}")
    return Done(code, stdout, stderr)


def _wait(pid: int) -> int:
    """The exit status of a child, killed when it takes too long."""
    watch = os.pidfd_open(pid)
    try:
        if not select.select([watch], [], [], COMMAND_SECONDS)[0]:
            os.kill(pid, signal.SIGKILL)
    finally:
        os.close(watch)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@contextmanager
def pinned_to_cpu(cpu: int | None = None) -> Iterator[None]:
    """Keep this thread on its CPU, or on one: a veth hands frames to that CPU's queue, which then keeps their order."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {LIBC.sched_getcpu() if cpu is None else cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def as_user(uid: int, gid: int) -> Iterator[None]:
    """Sockets opened in the body belong to this user and group (this thread's file system ids)."""
    LIBC.setfsgid(gid)
    LIBC.setfsuid(uid)
    try:
        yield
    finally:
        LIBC.setfsuid(0)
        LIBC.setfsgid(0)
