"""The first step of ``cli.py`` and ``server.py`` as programs: a Python without their requirements is told what to do.

Of the standard library alone, since nothing else may be there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent
WRONG_PYTHON = 2  # the exit code, as for any wrong command line


def explain_missing_modules(way_out: str) -> None:
    """From now on a module of others that is not installed ends the program with one sentence and exit code 2.

    ``way_out`` is the end of the sentence: what to do. A hook of the interpreter, since a module is missed by the first
    imports of a program or, where some are there, only by those of one command.
    """

    def explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not isinstance(error, ModuleNotFoundError) or _is_ours(error.name or ""):
            sys.__excepthook__(kind, error, trace)
            return
        sys.stderr.write(f"Error: {sys.executable} has no module {error.name}; {way_out}\n")
        raise SystemExit(WRONG_PYTHON)

    sys.excepthook = explain


def _is_ours(module: str) -> bool:
    """Whether a module belongs to this program, so that its absence is a fault of ours."""
    first = module.partition(".")[0]
    return (ROOT / first).is_dir() or (ROOT / f"{first}.py").is_file()
