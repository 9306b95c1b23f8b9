"""Recovery codes: many enough, hard to guess, easy to type."""

from __future__ import annotations

import re

import pytest

from credentials.recovery_codes import hash_code, looks_like_code, new_codes


def test_there_are_ten_different_codes() -> None:
    """Ten codes at a time, and never one twice."""
    codes = [code for _ in range(20) for code in new_codes()]
    assert len(codes) == len(set(codes)) == 200


def test_a_code_is_hard_to_guess_and_easy_to_read() -> None:
    """Sixteen characters of 32, which are 80 bits, in groups of four; none is easily taken for another."""
    codes = [code for _ in range(50) for code in new_codes()]
    assert all(re.fullmatch(r"[0-9a-z]{4}(-[0-9a-z]{4}){3}", code) for code in codes)
    used = set("".join(codes)) - {"-"}
    assert len(used) == 32
    assert not used & set("oilu")


def test_a_code_is_found_however_it_was_typed() -> None:
    """Case, spaces and dashes do not matter, nor o for 0 and i or l for 1."""
    written = "4f7k-901x-c0rt-8wyz"
    kept = hash_code(written)
    for typed in (
        "4F7K-901X-C0RT-8WYZ",
        " 4f7k901xc0rt8wyz\n",
        "4f7k 90lx cOrt 8wyz",
        "4f7k-9oIx-cort-8wyz",
        "4f7k\u00a0901xc0rt8wyz",
    ):
        assert hash_code(typed) == kept
        assert looks_like_code(typed)
    assert re.fullmatch(r"[0-9a-f]{64}", kept)
    assert written not in kept


def test_another_code_is_another_hash() -> None:
    """Each character counts."""
    code = "4f7k-901x-c0rt-8wyz".replace("-", "")
    others = {hash_code(code[:place] + "5" + code[place + 1 :]) for place in range(len(code))}
    assert len(others) == 16
    assert hash_code(code) not in others


@pytest.mark.parametrize("code", new_codes(), ids=range(10))
def test_new_codes_look_like_codes(code: str) -> None:
    """What is made is known again."""
    assert looks_like_code(code)


@pytest.mark.parametrize(
    "text",
    ["", "123456", "123 456", "4f7k-901x-c0rt-8wy", "4f7k-901x-c0rt-8wyzz", "4f7k-901x-c0rt-8wyu", "ü" * 16,
     "\ud800" * 16, "４f7k-901x-c0rt-8wyz", "4f7k-901x-c0rt-8wyz" + " " * 100],
)  # fmt: skip
def test_other_texts_do_not(text: str) -> None:
    """A code of an authenticator app, a mistyped one and rubbish are told apart before anything is looked up."""
    assert not looks_like_code(text)
    assert re.fullmatch(r"[0-9a-f]{64}", hash_code(text))
