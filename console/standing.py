"""What a change of roles or teams means for people who are what the settings say while no role says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from console.output import say
from permissions import Role

if TYPE_CHECKING:
    from identities import Standing
    from services import Services

_ONE: Final = {
    Role.NONE: "without rights", Role.READER: "a reader", Role.UPLOADER: "an uploader",
    Role.MAINTAINER: "a maintainer", Role.OWNER: "an owner",
}  # fmt: skip
_SEVERAL: Final = {role: f"{role.value}s" for role in Role} | {Role.NONE: "without rights"}


@contextmanager
def telling_of_defaults(services: Services, usernames: Iterable[str], index: str) -> Iterator[None]:
    """Say on stderr whom the change that is made meanwhile takes from, or leaves to, what the settings make of them.

    A role on the index takes the place of the usual one also where it is less, which is easily overlooked.
    """
    names = tuple(usernames)
    before = _standings(services, names, index)
    yield
    alike: dict[tuple[Standing, Standing], list[str]] = {}
    for name, now in _standings(services, names, index).items():
        if name in before and before[name] != now:
            alike.setdefault((before[name], now), []).append(name)
    for (was, now), changed in alike.items():
        if sentence := _sentence(changed, was, now):
            say(sentence)


def _standings(services: Services, usernames: Iterable[str], index: str) -> Mapping[str, Standing]:
    """What those who are there are; of administrators, who may do everything, nothing is to be told."""
    accounts = filter(None, map(services.accounts.user, usernames))
    identities = services.authenticator.identities
    return {one.username: identities.standing(one, index) for one in accounts if not one.is_admin}


def _sentence(names: list[str], was: Standing, now: Standing) -> str:
    """One for a role that is less than what the settings made of people, or that gave way to it; else ""."""
    who, several = _listed(names), len(names) > 1
    words = _SEVERAL if several else _ONE
    if was.setting and now.role.rank < was.role.rank:
        were, are = ("were", "are") if several else ("was", "is")
        return f"{who} {were} {words[was.role]} by {was.setting} and {are} {words[now.role]} now."
    if now.setting and not was.setting:
        return f"{who} {'are' if several else 'is'} {words[now.role]} by {now.setting} now."
    return ""


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
