"""Trusted publishers: which job of which CI provider may upload without a password, and whether a token is that job's.

A publisher is its kind, its issuer and a few fields; ``KINDS`` says which. The rules are those of PyPI's trusted
publishing. A token's signature, audience and time are ``issuers.py``'s to check before anything here is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from credentials.issuer_keys import check_issuer_url
from errors import InvalidRequest, shown

GITHUB_ISSUER = "https://token.actions.githubusercontent.com"
GITLAB_ISSUER = "https://gitlab.com"
GOOGLE_ISSUER = "https://accounts.google.com"
LONGEST_FIELD = 255
MOST_CLAIMS = 20
LONGEST_DESCRIPTION = 200
# Claims that every token has or that change with each: they say nothing of who is asking.
_SAYS_NOTHING = frozenset({"iss", "aud", "exp", "iat", "nbf", "jti"})
# This event runs the workflow with the rights of the repository on code that a stranger proposes.
_STRANGERS_CODE = "pull_request_target"
_PRINTABLE = re.compile(r"[\x20-\x7e]+")


@dataclass(frozen=True)
class Field:
    """One thing to fill in: its name, its label for people, the form it must have and how to say so."""

    name: str
    label: str
    form: str = r".+"
    hint: str = "printable ASCII"
    required: bool = True
    default: str = ""


@dataclass(frozen=True)
class Kind:
    """A kind of publisher: what people call it, its usual issuer ("" if it has none) and its fields."""

    name: str
    label: str
    issuer: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Publisher:
    """Who may publish. ``claims`` are the kind's fields, or for ``oidc`` the claims that a token must have.

    Made by ``make``, from what people fill in and from what is stored alike.
    """

    kind: str
    issuer: str
    claims: Mapping[str, str] = field(hash=False)

    def to_fields(self) -> dict[str, str]:
        """What to store beside kind and issuer, and to give to ``make`` again."""
        return dict(self.claims)

    @property
    def environment(self) -> str | None:
        """The environment in which the job must run; None if any will do."""
        return self.claims.get("environment")


_ID = r"[0-9]{1,20}"
_PART = r"[A-Za-z0-9_.][A-Za-z0-9_.+-]*"
_ENVIRONMENT = Field("environment", "Environment", required=False)

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "github": Kind(
            "github",
            "GitHub Actions",
            GITHUB_ISSUER,
            (
                Field("owner", "Owner", r"[A-Za-z0-9_-]{1,100}", "a user or organization, without slashes"),
                Field("owner_id", "Owner's number", _ID, "digits", required=False),
                Field("repository", "Repository", r"[A-Za-z0-9._-]{1,100}", "its name without the owner"),
                Field("repository_id", "Repository's number", _ID, "digits", required=False),
                Field("workflow", "Workflow", r"[^/@]+\.ya?ml", "a file's name that ends in .yml or .yaml, no folder"),
                _ENVIRONMENT,
            ),
        ),
        "gitlab": Kind(
            "gitlab",
            "GitLab CI/CD",
            GITLAB_ISSUER,
            (
                Field("namespace", "Namespace", rf"{_PART}(?:/{_PART})*", "a user or group, or group/subgroup"),
                Field("project", "Project", _PART, "its name without the namespace"),
                Field("project_id", "Project's number", _ID, "digits", required=False),
                Field(
                    "workflow_filepath",
                    "Pipeline file",
                    r"[^/@:][^@:]*\.ya?ml",
                    "a path in the repository that ends in .yml or .yaml",
                    default=".gitlab-ci.yml",
                ),
                _ENVIRONMENT,
            ),
        ),
        "google": Kind(
            "google",
            "Google Cloud",
            GOOGLE_ISSUER,
            (
                Field("email", "E-mail", r"[^@\s]+@[^@\s]+", "the address of a service account"),
                Field("sub", "Subject", required=False),
            ),
        ),
        "oidc": Kind("oidc", "OpenID Connect", "", ()),
    }
)


def make(kind: str, fields: Mapping[str, str], issuer: str | None = None) -> Publisher:
    """A publisher, from what was filled in or stored. Raises InvalidRequest with what is wrong.

    ``fields`` are those of the kind; for ``oidc`` they are claims with the values that they must have. Without an
    ``issuer`` it is the kind's own.
    """
    chosen = KINDS.get(kind)
    if chosen is None:
        raise InvalidRequest(f"There is no kind of publisher {shown(kind)}; choose one of {', '.join(KINDS)}.")
    address = (issuer or "").strip() or chosen.issuer
    if not address:
        raise InvalidRequest("A publisher of this kind needs its issuer; give its address, as in tokens' claim iss.")
    if chosen.issuer:
        address = address.rstrip("/")  # theirs never ends so, but addresses are pasted with it
    check_issuer_url(address)
    claims = dict(_claims_demanded(fields) if kind == "oidc" else _fields_of(chosen, fields))
    return Publisher(kind, address, MappingProxyType(claims))


def matches(publisher: Publisher, claims: Mapping[str, Any]) -> bool:
    """Whether a checked token's claims are those of the publisher's job."""
    return claims.get("iss") == publisher.issuer and _RULES[publisher.kind](publisher, claims)


def pinned(publisher: Publisher, claims: Mapping[str, Any]) -> Publisher:
    """The publisher with the provider's numbers of owner and repository, learned from the first token that matched.

    Names may be given to somebody else after an account was deleted; numbers are not.
    """
    names = {
        "github": {"owner_id": "repository_owner_id", "repository_id": "repository_id"},
        "gitlab": {"project_id": "project_id"},
    }.get(publisher.kind, {})
    learned = {ours: text for ours, theirs in names.items() if re.fullmatch(_ID, text := _as_text(claims.get(theirs)))}
    return make(publisher.kind, learned | publisher.to_fields(), publisher.issuer)


def describe(publisher: Publisher) -> str:
    """The publisher in a line, for people and the journal, as in ``github:acme/tool release.yml``."""
    given, base = publisher.claims, _base(publisher)
    where = "" if publisher.issuer == KINDS[publisher.kind].issuer else f"{base}/"
    within = f" (environment {publisher.environment})" if publisher.environment and publisher.kind != "oidc" else ""
    match publisher.kind:
        case "github":
            text = f"{where}{_repository(publisher)} {given['workflow']}{within}"
        case "gitlab":
            text = f"{where}{_repository(publisher)} {given['workflow_filepath']}{within}"
        case "google":
            text = f"{where}{given['email']}"
        case _:
            text = f"{base} " + " ".join(f"{name}={value}" for name, value in given.items())
    line = f"{publisher.kind}:{text}"
    return line if len(line) <= LONGEST_DESCRIPTION else line[: LONGEST_DESCRIPTION - 3] + "..."


def url(publisher: Publisher) -> str | None:
    """Where people find the repository; None for kinds that have none."""
    if publisher.kind == "github":
        return f"https://{_github_host(publisher)}/{_repository(publisher)}"
    if publisher.kind == "gitlab":
        return f"{publisher.issuer.rstrip('/')}/{_repository(publisher)}"
    return None


def attestation_identity(publisher: Publisher) -> dict[str, str | None] | None:
    """The publisher object of PEP 740; None where attestations cannot name it.

    They know the public providers only: a repository of the same name at another issuer is somebody else's.
    """
    if publisher.kind == "oidc" or publisher.issuer != KINDS[publisher.kind].issuer:
        return None
    given = publisher.claims
    if publisher.kind == "google":
        return {"kind": "Google", "email": given["email"]}
    label, file = {"github": ("GitHub", "workflow"), "gitlab": ("GitLab", "workflow_filepath")}[publisher.kind]
    return {
        "kind": label,
        "repository": _repository(publisher),
        file: given[file],
        "environment": publisher.environment,
    }


# What is filled in.


def _fields_of(kind: Kind, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    unknown = sorted(set(given) - {one.name for one in kind.fields})
    if unknown:
        known = ", ".join(one.name for one in kind.fields)
        raise InvalidRequest(f"A {kind.label} publisher has no field {shown(unknown[0])}; it has {known}.")
    for one in kind.fields:
        value = _plain(one.name, given.get(one.name) or one.default)
        if not value and one.required:
            raise InvalidRequest(f"The field {one.name} is empty; it takes {one.hint}.")
        if value and not re.fullmatch(one.form, value):
            raise InvalidRequest(f"The field {one.name} is {shown(value)}; it takes {one.hint}.")
        if value:
            yield one.name, value


def _claims_demanded(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if len(given) > MOST_CLAIMS:
        raise InvalidRequest(f"The publisher demands {len(given)} claims; {MOST_CLAIMS} is the limit: leave some out.")
    if "sub" not in given and len(given) < 2:
        raise InvalidRequest("The publisher would match too many; demand the claim sub, or at least two others.")
    for name in sorted(given):
        value = _plain(name, given[name])
        if not _plain("name of a claim", name) or name != name.strip() or name in _SAYS_NOTHING:
            raise InvalidRequest(f"The claim {shown(name)} does not say who is asking; demand others, such as sub.")
        if not value.strip("*"):
            raise InvalidRequest(f"The claim {shown(name)} may have any value; say at least how it begins.")
        yield name, value


def _plain(name: str, value: object) -> str:
    """A value without the blanks around it, which come with pasting."""
    text = value.strip() if isinstance(value, str) else ""
    if not isinstance(value, str) or len(text) > LONGEST_FIELD or (text and not _PRINTABLE.fullmatch(text)):
        raise InvalidRequest(
            f"The field {shown(name)} takes a line of printable ASCII of at most {LONGEST_FIELD} characters."
        )
    return text


# Whether a token is the publisher's.


def _matches_github(publisher: Publisher, claims: Mapping[str, Any]) -> bool:
    """GitHub's names know no case, but file, numbers and refs do; ``ref`` may be empty, then it is the commit."""
    given, repository = publisher.claims, _repository(publisher)
    start, at, version = _text(claims, "job_workflow_ref").partition(f"/.github/workflows/{given['workflow']}@")
    return (
        _is_same(_text(claims, "repository"), repository)
        and _is_same(_text(claims, "repository_owner"), given["owner"])
        and given.get("owner_id") in {None, _text(claims, "repository_owner_id")}
        and given.get("repository_id") in {None, _text(claims, "repository_id")}
        and {"ref", "sha"} <= set(claims)
        and bool(at and version)
        and _is_same(start, repository)
        and version in {_text(claims, "ref"), _text(claims, "sha")}
        and _text(claims, "event_name") not in {"", _STRANGERS_CODE}
        and _text(claims, "jti") != ""
        and (publisher.environment is None or _is_same(_text(claims, "environment"), publisher.environment))
    )


def _matches_gitlab(publisher: Publisher, claims: Mapping[str, Any]) -> bool:
    """GitLab's paths know no case; files, refs and environments do."""
    given, path = publisher.claims, _repository(publisher)
    start, at, version = _text(claims, "ci_config_ref_uri").partition(f"//{given['workflow_filepath']}@")
    return (
        _is_same(":".join(_text(claims, "sub").split(":")[:2]), f"project_path:{path}")
        and _is_same(_text(claims, "project_path"), path)
        and given.get("project_id") in {None, _as_text(claims.get("project_id"))}
        and {"ref_path", "sha"} <= set(claims)
        and bool(at and version)
        and _is_same(start, f"{_base(publisher)}/{path}")
        and version in {_text(claims, "ref_path"), _text(claims, "sha")}
        and _text(claims, "jti") != ""
        and publisher.environment in {None, _text(claims, "environment")}
    )


def _matches_google(publisher: Publisher, claims: Mapping[str, Any]) -> bool:
    given = publisher.claims
    return (
        claims.get("email") == given["email"]
        and claims.get("email_verified") is True
        and given.get("sub") in {None, _text(claims, "sub")}
    )


def _matches_oidc(publisher: Publisher, claims: Mapping[str, Any]) -> bool:
    """Every claim that is demanded is there; and never a job that runs a stranger's code, unless that is demanded."""
    if _text(claims, "event_name") == _STRANGERS_CODE and publisher.claims.get("event_name") != _STRANGERS_CODE:
        return False
    return all(_fits(pattern, _as_text(_reach(claims, name))) for name, pattern in publisher.claims.items())


_RULES: Mapping[str, Callable[[Publisher, Mapping[str, Any]], bool]] = {
    "github": _matches_github,
    "gitlab": _matches_gitlab,
    "google": _matches_google,
    "oidc": _matches_oidc,
}


def _reach(claims: object, name: str) -> object:
    """The claim of a dotted name, which may lie in claims whose own names have dots; the longest name goes first."""
    if not isinstance(claims, Mapping):
        return None
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        key = ".".join(parts[:count])
        if key in claims:
            rest = ".".join(parts[count:])
            found = _reach(claims[key], rest) if rest else claims[key]
            if found is not None:
                return found
    return None


def _fits(pattern: str, text: str) -> bool:
    """Whether a text is as the pattern says, where ``*`` stands for one or more characters of any kind."""
    first, *others = pattern.split("*")
    if not others:
        return text == pattern
    if not text.startswith(first):
        return False
    *middle, last = others
    at = len(first)
    for part in middle:
        found = text.find(part, at + 1)
        if found < 0:
            return False
        at = found + len(part)
    return text.endswith(last) and len(text) - len(last) > at


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def _as_text(value: object) -> str:
    """A simple value as JSON writes it; empty for what is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else ""


def _is_same(theirs: str, ours: str) -> bool:
    """Equal but for case; what is not ASCII is none of our names, whatever its small letters are."""
    return theirs.isascii() and theirs.lower() == ours.lower()


def _repository(publisher: Publisher) -> str:
    owner, name = {"github": ("owner", "repository"), "gitlab": ("namespace", "project")}[publisher.kind]
    return f"{publisher.claims[owner]}/{publisher.claims[name]}"


def _host(publisher: Publisher) -> str:
    """The issuer's host, with its port where that is not the usual one."""
    parts = urlsplit(publisher.issuer)
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.hostname}:{parts.port}" if parts.port not in {None, usual} else parts.hostname or ""


def _base(publisher: Publisher) -> str:
    """The issuer's host, and the folder that it may be in there, as GitLab names itself in ``ci_config_ref_uri``."""
    return _host(publisher) + urlsplit(publisher.issuer).path.rstrip("/")


def _github_host(publisher: Publisher) -> str:
    """Where repositories are of those whose tokens the issuer gives: the public site, a company's cloud or server."""
    host = _host(publisher)
    return "github.com" if host == urlsplit(GITHUB_ISSUER).hostname else host.removeprefix("token.actions.")
