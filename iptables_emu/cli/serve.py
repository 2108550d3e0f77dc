"""``iptables-sim serve --stdio``: one JSON request a line, one JSON answer a line."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

from iptables_emu.cli.entry import ALIASES, BESIDE, run
from iptables_emu.cli.state import Globals, Memory
from iptables_emu.text.programs import Result, program_of

BAD_REQUEST, BROKEN = 2, 70


class BadRequest(Exception):
    """A request that cannot be understood; the text says why."""


class Server:
    """Keeps one state in memory between requests: rulesets of both personalities, ipsets, and connections.

    ``environ`` and ``settings`` are the server's own; a request's ``env`` comes on top.
    """

    def __init__(self, environ: Mapping[str, str], settings: Globals) -> None:
        self.environ, self.settings = dict(environ), settings
        self.memory = Memory()

    def answer(self, request: Mapping[str, Any]) -> Result:
        """What the program of ``argv`` says. Raises BadRequest."""
        if request.get("reset"):
            self.memory = Memory()
            return Result(0)
        argv, stdin, env = _checked(request)
        name = argv[0].rsplit("/", 1)[-1]
        if program_of(name) is None and name not in (*ALIASES, *BESIDE):
            known = "iptables, ip6tables-save, ipset, conntrack, iptables-sim ..."
            raise BadRequest(f"{name!r}: no such program; argv[0] is {known}")
        settings = Globals.from_environ({**self.environ, **env})
        settings.memory = self.memory
        if "IPTABLES_SIM_BACKEND" not in env:
            settings.backend = self.settings.backend
        if "IPTABLES_SIM_STRICT" not in env:
            settings.strict = self.settings.strict
        return _captured(lambda: run(name, argv[1:], settings), stdin)

    def loop(self, lines: Iterable[bytes], stdout: IO[str]) -> None:
        """Answer until the input ends; a bad line gets an answer, too."""
        for line in lines:
            if not line.strip():
                continue
            try:
                result = self.answer(_request(line))
            except BadRequest as error:
                result = Result(BAD_REQUEST, "", f"serve: {error}\n")
            except Exception as error:  # the next request must find a server
                told = " ".join(str(error).split())
                result = Result(BROKEN, "", f"serve: internal error: {type(error).__name__}: {told}\n")
            stdout.write(json.dumps({"rc": result.rc, "stdout": result.stdout, "stderr": result.stderr}) + "\n")
            stdout.flush()


def _request(line: bytes) -> Mapping[str, Any]:
    try:
        request = json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"not JSON: {error}") from None
    if not isinstance(request, dict) or not (request.get("reset") or request.get("argv")):
        raise BadRequest('a request is an object with argv or reset, as {"argv": ["iptables", "-S"]}')
    return request


def _checked(request: Mapping[str, Any]) -> tuple[list[str], str, dict[str, str]]:
    """argv, stdin and env of their right types."""
    argv, stdin, env = request["argv"], request.get("stdin") or "", request.get("env") or {}
    if not isinstance(argv, list) or not all(isinstance(word, str) for word in argv):
        raise BadRequest("argv must be a list of texts")
    if any("\0" in word for word in argv):
        raise BadRequest("argv cannot hold a NUL")
    if not isinstance(stdin, str):
        raise BadRequest("stdin must be a text")
    if not isinstance(env, dict) or not all(isinstance(value, str) for value in env.values()):
        raise BadRequest("env must be an object of texts")
    return [_bytewise(word) for word in argv], _bytewise(stdin), env


def _bytewise(text: str) -> str:
    """The text with whatever UTF-8 cannot say replaced; bytes that were none stand as surrogates, as everywhere."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape") if _odd(text) else text


def _odd(text: str) -> bool:
    return any("\ud800" <= c <= "\udfff" and not "\udc80" <= c <= "\udcff" for c in text)


def _captured(do: Callable[[], int], stdin: str) -> Result:
    """Run with standard streams of its own."""
    before = sys.stdin, sys.stdout, sys.stderr
    given, out, err = (io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors="surrogateescape", newline="")
                       for data in (stdin.encode("utf-8", "surrogateescape"), b"", b""))  # fmt: skip
    sys.stdin, sys.stdout, sys.stderr = given, out, err
    try:
        status = do()
    finally:
        sys.stdin, sys.stdout, sys.stderr = before
    return Result(status, _written(out), _written(err))


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()
