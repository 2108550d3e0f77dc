"""The standard streams: bytes kept, and whatever may be wrong with them told in one line."""

from __future__ import annotations

import io
import os
import sys


class OutputError(Exception):
    """Standard output cannot be written; the text says why."""


def settle() -> None:
    """UTF-8 on all streams, whatever the locale. Those that the caller closed lead to /dev/null, so that no file
    opened later takes their place."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            try:
                os.fstat(number)
            except OSError:
                os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
            setattr(sys, name, os.fdopen(number, mode, closefd=False))
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="strict" if name == "stdin" else "surrogateescape")


def read_input() -> str:
    """Standard input, bytes kept."""
    return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")


def write(stream: object, text: str) -> None:
    """Text to a standard stream, bytes kept; a reader that has gone (``| head``) is no error."""
    buffer = getattr(stream, "buffer", None)
    if not text or buffer is None:
        return
    try:
        buffer.write(text.encode("utf-8", "surrogateescape"))
        buffer.flush()
    except BrokenPipeError:
        forget(stream)
    except OSError as error:
        forget(stream)
        raise OutputError(f"standard output: {error.strerror}") from None


def forget(stream: object) -> None:
    """Lead a stream that takes nothing more to /dev/null: what is left in it must not be told of again at the end."""
    fileno = getattr(stream, "fileno", None)
    if fileno is not None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, fileno())
        os.close(null)
