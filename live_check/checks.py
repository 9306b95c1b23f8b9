"""The checks, in the order in which they run."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from live_check.sample import File, Sample
from live_check.server import LOOPBACK, Failure, Server, basic

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"


def pip_in(folder: Path) -> list[str]:
    """A command that runs pip: this Python's, or that of an environment made for it. Raises Failure."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    run_program([sys.executable, "-m", "venv", str(folder / "venv")], dict(os.environ))
    return [str(folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"), "-m", "pip"]


def run_program(command: list[str], environ: dict[str, str]) -> str:
    """Run a program; what it wrote to its output. Raises Failure with the last of what it said."""
    try:
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=180, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failure("it did not end within three minutes") from error
    if done.returncode != 0:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise Failure(next((line for line in reversed(lines) if "ERROR" in line), (lines or ["it failed"])[-1])[:300])
    return done.stdout


def expect(condition: bool, otherwise: str) -> None:
    """Raise Failure unless it is so."""
    if not condition:
        raise Failure(otherwise)


Check = Callable[["Run"], None]
CHECKS: dict[str, tuple[Check, bool, bool]] = {}


def check(name: str, *, of_files: bool = False, of_accounts: bool = False) -> Callable[[Check], Check]:
    """Add a check; one of files is left out where nothing could be uploaded, one of accounts where there are none."""

    def add(function: Check) -> Check:
        CHECKS[name] = (function, of_files, of_accounts)
        return function

    return add


@dataclass
class Run:
    """One run against a server: who speaks, and what has to be cleaned up."""

    server: Server
    login: str | None
    is_guarded: bool
    sample: Sample = field(default_factory=Sample)
    is_published: bool = False
    token: str = ""

    def page(self) -> dict[str, dict[str, Any]]:
        """The files of the project's page, by filename. Raises Failure."""
        document = self.server.ask(f"simple/{self.sample.name}/", accept=SIMPLE_JSON).must_be(200).json()
        return {file["filename"]: file for file in document["files"]}

    def file(self, file: File) -> tuple[dict[str, Any], str]:
        """What the page says of a file, and its address. Raises Failure."""
        found = self.page().get(file.name)
        if found is None:
            raise Failure(f"{file.name} is not on the project's page")
        return found, urljoin(f"{self.server.url}simple/{self.sample.name}/", found["url"])

    def is_token_listed(self) -> bool:
        """Whether the token is among those of the account, which are known by their public parts."""
        listed = self.server.ask("api/tokens", login=self.login).must_be(200).json()["tokens"]
        return any(f"_{one['id']}_" in self.token for one in listed)

    @check("health")
    def check_health(self) -> None:
        expect(self.server.ask("health").must_be(200).json().get("status") == "ok", "the status is not ok")

    @check("home page")
    def check_home_page(self) -> None:
        answer = self.server.ask("", accept="text/html").must_be(200)
        expect(answer.headers.get("content-type", "").startswith("text/html"), "it is not HTML")

    @check("project list, HTML")
    def check_list_as_html(self) -> None:
        answer = self.server.ask("simple/", accept="text/html").must_be(200)
        expect("pypi:repository-version" in answer.text, "it has no repository version")

    @check("project list, JSON")
    def check_list_as_json(self) -> None:
        answer = self.server.ask("simple/", accept=SIMPLE_JSON).must_be(200)
        expect(answer.headers.get("content-type") == SIMPLE_JSON, "its Content-Type is not that of PEP 691")
        expect(isinstance(answer.json().get("projects"), list), "it has no projects")

    @check("upload without a login is refused", of_accounts=True)
    def check_anonymous_upload(self) -> None:
        answer = self.server.upload(self.sample.wheel, None).must_be(401)
        expect("basic" in answer.headers.get("www-authenticate", "").lower(), "it asks for no Basic login")

    @check("a wrong password is refused", of_accounts=True)
    def check_wrong_password(self) -> None:
        self.server.upload(self.sample.wheel, basic("live-check", secrets.token_hex(8))).must_be(401)

    @check("upload of a wheel")
    def check_wheel_upload(self) -> None:
        self.server.upload(self.sample.wheel, self.login).must_be(200)
        self.is_published = True

    @check("upload of an sdist", of_files=True)
    def check_sdist_upload(self) -> None:
        self.server.upload(self.sample.sdist, self.login).must_be(200)

    @check("the same file again", of_files=True)
    def check_same_upload(self) -> None:
        self.server.upload(self.sample.wheel, self.login).must_be(200)

    @check("other bytes are refused", of_files=True)
    def check_other_bytes(self) -> None:
        answer = self.server.upload(self.sample.make_wheel(answer=43), self.login).must_be(400, 409)
        expect("already exist" in answer.text, "the refusal does not say that the file already exists")

    @check("project page", of_files=True)
    def check_project_page(self) -> None:
        both = {self.sample.wheel.name, self.sample.sdist.name}
        expect(set(self.page()) == both, "it does not list both files")
        html = self.server.ask(f"simple/{self.sample.name}/", accept="text/html").must_be(200)
        expect(all(f">{filename}</a>" in html.text for filename in both), "as HTML it does not list both files")
        etag = html.headers.get("etag", "*")
        self.server.ask(f"simple/{self.sample.name}/", accept="text/html", if_none_match=etag).must_be(304)

    @check("digests and sizes", of_files=True)
    def check_digests(self) -> None:
        for file in (self.sample.wheel, self.sample.sdist):
            listed, _ = self.file(file)
            expect(listed["hashes"].get("sha256") == file.sha256, f"{file.name}: other sha256")
            expect(listed.get("size") == len(file.content), f"{file.name}: other size")

    @check("metadata file", of_files=True)
    def check_metadata(self) -> None:
        file, url = self.file(self.sample.wheel)
        answer = self.server.ask(f"{url}.metadata").must_be(200)
        expect(answer.body == self.sample.metadata, "it is not the wheel's METADATA")
        expect(isinstance(file.get("core-metadata"), dict), "the page does not announce it")
        digest = hashlib.sha256(self.sample.metadata).hexdigest()
        expect(file["core-metadata"].get("sha256") == digest, "the page has another sha256 of it")

    @check("download, whole and in part", of_files=True)
    def check_download(self) -> None:
        content = self.sample.wheel.content
        _, url = self.file(self.sample.wheel)
        expect(self.server.ask(url).must_be(200).body == content, "other bytes came back")
        part = self.server.ask(url, range="bytes=10-19").must_be(206)
        expect(part.body == content[10:20], "other bytes came back for a Range")
        expect(part.headers.get("content-range") == f"bytes 10-19/{len(content)}", "the Content-Range is wrong")

    @check("installation with pip", of_files=True)
    def check_installation(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            target, address = Path(folder) / "target", urlsplit(self.server.url)
            command = [*pip_in(Path(folder)), "install", "--no-deps", "--no-cache-dir", "--target", str(target)]
            command += ["--index-url", f"{self.server.url}simple/", "--disable-pip-version-check", "--no-input"]
            if address.scheme == "http" and address.hostname not in LOOPBACK:
                command += ["--trusted-host", address.netloc]
            command.append(f"{self.sample.name}=={self.sample.version}")
            kept = {name: os.environ[name] for name in os.environ if not name.startswith("PIP_") or name == "PIP_CERT"}
            if address.hostname in LOOPBACK:
                kept["NO_PROXY"] = kept["no_proxy"] = str(address.hostname)
            run_program(command, kept | {"PIP_CONFIG_FILE": os.devnull})
            script = f"import sys; sys.path.insert(0, sys.argv[1]); import {self.sample.module} as m; print(m.answer)"
            said = run_program([sys.executable, "-I", "-c", script, str(target)], dict(os.environ))
            expect(said.strip() == "42", "the installed module is not the one that was uploaded")

    @check("search", of_files=True)
    def check_search(self) -> None:
        found = self.server.ask(f"search?q={quote(self.sample.name)}", accept="application/json").must_be(200).json()
        expect(any(hit["name"] == self.sample.name for hit in found["results"]), "it does not find the project")

    @check("API: project", of_files=True)
    def check_api_project(self) -> None:
        document = self.server.ask(f"api/packages/{self.sample.name}").must_be(200).json()
        expect(document.get("name") == self.sample.name, "it is another project")
        expect(document.get("version") == self.sample.version, "it has another version")
        expect(len(document.get("files", ())) == 2, "it does not have two files")

    @check("API: project list", of_files=True)
    def check_api_list(self) -> None:
        document = self.server.ask(f"api/packages?prefix={self.sample.name}").must_be(200).json()
        expect([one["name"] for one in document["packages"]] == [self.sample.name], "the project is not on it")

    @check("API: statistics", of_files=True)
    def check_api_statistics(self) -> None:
        document = self.server.ask("api/stats").must_be(200).json()
        expect(document.get("projects", 0) >= 1, "it counts no project")
        expect(document.get("files", 0) >= 2, "it counts no files")

    @check("legacy JSON", of_files=True)
    def check_legacy_json(self) -> None:
        document = self.server.ask(f"pypi/{self.sample.name}/json").must_be(200).json()
        expect(document["info"]["version"] == self.sample.version, "it has another version")
        digests = {file["filename"]: file["digests"]["sha256"] for file in document["urls"]}
        expect(digests.get(self.sample.wheel.name) == self.sample.wheel.sha256, "other sha256")

    @check("token: made, listed, uploads", of_files=True, of_accounts=True)
    def check_token(self) -> None:
        body = {"name": self.sample.name, "expires_days": 1}
        self.token = self.server.ask_json("api/tokens", "POST", body, self.login).must_be(201).json()["token"]
        expect(self.is_token_listed(), "it is not listed")
        self.server.upload(self.sample.wheel, basic("__token__", self.token)).must_be(200)

    @check("token: revoked, refused", of_files=True, of_accounts=True)
    def check_revoked_token(self) -> None:
        expect(bool(self.token), "none was made")
        self.server.ask_json("api/tokens", "DELETE", {"token": self.token}, self.login).must_be(200)
        expect(not self.is_token_listed(), "it is still listed")
        self.server.upload(self.sample.wheel, basic("__token__", self.token)).must_be(401)
        self.token = ""

    @check("yank and back", of_files=True)
    def check_yank(self) -> None:
        path = f"api/packages/{self.sample.name}/{self.sample.version}/yank"
        self.server.ask_json(path, "POST", {"reason": "a live check"}, self.login).must_be(200)
        expect(self.file(self.sample.wheel)[0].get("yanked") == "a live check", "the page does not show the reason")
        self.server.ask(path, "DELETE", login=self.login).must_be(200)
        expect(self.file(self.sample.wheel)[0].get("yanked") in {None, False}, "the page still shows it as yanked")

    def clean_up(self) -> None:
        """Revoke and delete what this run made, also by an upload whose answer was lost. Raises Failure."""
        if self.token:
            self.server.ask_json("api/tokens", "DELETE", {"token": self.token}, self.login)
        path = f"api/packages/{self.sample.name}"
        if self.server.ask(path).status == 404:
            return
        answer = self.server.ask(path, "DELETE", login=self.login)
        if answer.status != 200:
            said = f"answered {answer.status} ({answer.text[:200]})"
            raise Failure(f"{said}; let an administrator delete the project {self.sample.name}")
        expect(self.server.ask(path).status == 404, f"the project {self.sample.name} is still there")
