"""Record what the real programs answer to ``text_cases.txt`` (root, iptables nft and legacy, unshare).

    python tests/golden/record_text.py > tests/golden/text.jsonl

One JSON object a case and backend: its commands, and for each [status, stdout, stderr].
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def cases(backend: str) -> list[list[tuple[str, str]]]:
    """The blocks of the file that are for this backend: (command line, standard input)."""
    out: list[list[tuple[str, str]]] = [[]]
    for line in (HERE / "text_cases.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        if not line:
            out.append([])
        elif line.startswith("< "):
            out[-1][-1] = (out[-1][-1][0], line[2:].encode().decode("unicode_escape"))
        else:
            out[-1].append((line, ""))
    mine = [case[case[0][0] == f"@{backend}" :] for case in out if case]
    return [case for case in mine if case[0][0][0] != "@"]


def one(backend: str, case: list[tuple[str, str]]) -> list[list[object]]:
    """Runs inside a fresh network namespace."""
    answers: list[list[object]] = []
    for line, stdin in case:
        program, _, rest = line.partition(" ")
        head, _, tail = program.partition("-")
        real = f"{head}-{backend}" + (f"-{tail}" if tail else "")
        # the shell's exec -a gives the program its plain name
        command = ["bash", "-c", f"exec -a {program} $(command -v {real}) {rest}"]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True)
        answers.append([done.returncode, done.stdout, done.stderr])
    return answers


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(one(sys.argv[1], cases(sys.argv[1])[int(sys.argv[2])])))
        return
    for backend in ("nft", "legacy"):
        for number, case in enumerate(cases(backend)):
            command = ["unshare", "-n", sys.executable, __file__, backend, str(number)]
            answers = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            print(json.dumps({"backend": backend, "case": case, "answers": answers}))


main()
