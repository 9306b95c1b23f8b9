"""What the child process of ``distributions.sandbox`` can be asked: a job by its name, answered with data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from distributions.comparing import compare
from distributions.contents import look_inside, read_excerpt
from distributions.reading import read_distribution
from errors import Refusal

Answer = tuple[dict[str, object], bytes]


def answer(request: Mapping[str, Any]) -> Answer:
    """Do a job: JSON and bytes, or the code and sentence of the refusal that it met."""
    try:
        return JOBS[request["ask"]](request, [Path(path) for path in request["paths"]])
    except Refusal as refusal:
        return {"refusal": refusal.code, "sentence": refusal.sentence}, b""


@cache
def prepare(job: str) -> None:
    """Load what a job needs, once in a child and before its processor time counts: that takes longer than to run."""
    if job == "render":
        from distributions import rendering

        rendering.load()
    elif job == "colour":
        from distributions import colouring

        colouring.load()


def _inspect(request: Mapping[str, Any], paths: list[Path]) -> Answer:
    found = read_distribution(paths[0], request["filename"], accept_legacy=request["accept_legacy"])
    told: dict[str, object] = {
        "size": found.size,
        "metadata": found.metadata.to_json(),
        "description": found.metadata.description,
        "served": found.core_metadata is not None,
        "warnings": found.warnings,
    }
    return told, found.core_metadata or b""


def _look(request: Mapping[str, Any], paths: list[Path]) -> Answer:
    return {}, look_inside(paths[0], request["filename"]).encode()


def _excerpt(request: Mapping[str, Any], paths: list[Path]) -> Answer:
    found = read_excerpt(paths[0], request["filename"], request["member"], request["limit"])
    return {"size": found.size}, found.data


def _compare(request: Mapping[str, Any], paths: list[Path]) -> Answer:
    return {}, compare((paths[0], request["filename"]), (paths[1], request["new_filename"])).encode()


def _render(request: Mapping[str, Any], _: list[Path]) -> Answer:
    from distributions.rendering import render

    return render(request["text"], request["content_type"]).to_json(), b""


def _colour(request: Mapping[str, Any], _: list[Path]) -> Answer:
    from distributions.colouring import colour

    return {}, "\n".join(colour(request["text"], request["filename"])).encode()


JOBS: Final[Mapping[str, Callable[[Mapping[str, Any], list[Path]], Answer]]] = {
    "inspect": _inspect,
    "look": _look,
    "excerpt": _excerpt,
    "compare": _compare,
    "render": _render,
    "colour": _colour,
}
