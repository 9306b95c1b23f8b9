"""Values as XML-RPC answers: always well-formed, also with what a stranger's metadata holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final
from xmlrpc.client import Fault, Marshaller, dumps

_MOST_INT: Final = 2**31 - 1
# What XML 1.0 cannot carry, not even escaped.
_FOREIGN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Marshaller(Marshaller):
    """Sends integers beyond 31 bits as i8, which Python's and other clients read, where the base class gives up."""

    def __init__(self) -> None:
        super().__init__("utf-8", allow_none=True)
        self.dispatch = {**self.dispatch, int: _dump_whole}


def _dump_whole(_: Marshaller, value: int, write: Callable[[str], Any]) -> None:
    kind = "int" if -_MOST_INT - 1 <= value <= _MOST_INT else "i8"
    write(f"<value><{kind}>{value}</{kind}></value>\n")


def draw_answer(value: object) -> bytes:
    """A method's answer: texts, numbers, None, DateTime, and lists and dictionaries of them."""
    params = _Marshaller().dumps((_clean(value),))
    return f"<?xml version='1.0' encoding='utf-8'?>\n<methodResponse>\n{params}</methodResponse>\n".encode()


def draw_fault(code: int, sentence: str) -> bytes:
    """A refusal."""
    return dumps(Fault(code, clean_text(sentence)), methodresponse=True, encoding="utf-8").encode()


def clean_text(text: str) -> str:
    """The text with a replacement character for each that XML cannot carry."""
    return _FOREIGN.sub("\ufffd", text)


def _clean(value: object) -> Any:
    match value:
        case str():
            return clean_text(value)
        case dict():
            return {clean_text(name): _clean(one) for name, one in value.items()}
        case list() | tuple():
            return [_clean(one) for one in value]
        case _:
            return value
