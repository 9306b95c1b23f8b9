"""A page with static/passkeys.js, under the policy that every page of this server has."""

from __future__ import annotations

import html
import http.server
from urllib.parse import parse_qs

from credentials.passkeys import (
    Registered,
    authentication_options,
    credential_id_of,
    new_challenge,
    registration_options,
    relying_party,
    verify_authentication,
    verify_registration,
)
from errors import Refusal
from tests.conftest import ROOT
from views.web import CONTENT_SECURITY_POLICY


class Site(http.server.ThreadingHTTPServer):
    """A page with both forms on a port of localhost, which verifies what they send."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.server_port}"
        self.party = relying_party(self.url)
        self.challenges = {"register": b"", "sign-in": b""}
        self.answers: list[str] = []
        self.known: Registered | None = None
        self.sign_count = 0
        self.rp_id = self.party.rp_id

    def page(self) -> str:
        """Both forms, with new challenges."""
        self.challenges = {name: new_challenge() for name in self.challenges}
        exclude = [self.known.credential_id] if self.known else []
        made = registration_options(self.rp_id, "Packages", b"user 7", "alice", exclude, self.challenges["register"])
        used = authentication_options(self.rp_id, self.challenges["sign-in"])
        return "".join(
            f'<form method="post" action="/{name}" data-passkey="{name}" data-options="{html.escape(options)}">'
            f'<input type="hidden" name="credential"><button>{name}</button>'
            '<p data-passkey-error role="alert" hidden></p></form>'
            for name, options in (("register", made), ("sign-in", used))
        )

    def take(self, name: str, answer: str) -> str:
        """What verifying an answer comes to, in words."""
        self.answers.append(answer)
        try:
            if name == "register":
                self.known = verify_registration(answer, self.challenges[name], *self.party)
                self.sign_count = self.known.sign_count
                return "Registered"
            assert self.known is not None
            assert credential_id_of(answer) == self.known.credential_id
            used = verify_authentication(
                answer, self.challenges[name], *self.party, self.known.public_key, self.sign_count
            )
        except Refusal as refusal:
            return refusal.sentence
        self.sign_count = used.new_sign_count
        return f"Signed in {(used.user_handle or b'').decode()}"


class Handler(http.server.BaseHTTPRequestHandler):
    """The site's answers."""

    server: Site

    def do_GET(self) -> None:
        """The page, or the script as it is served."""
        if self.path == "/passkeys.js":
            self._send((ROOT / "static/passkeys.js").read_text(), "text/javascript")
        else:
            self._send(self.server.page() if self.path == "/" else "")

    def do_POST(self) -> None:
        """What a form sent."""
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        outcome = self.server.take(self.path[1:], form.get("credential", [""])[0])
        self._send(f'<p id="outcome">{html.escape(outcome)}</p>')

    def _send(self, body: str, kind: str = "text/html") -> None:
        if kind == "text/html":
            body = (
                '<!doctype html><html lang="en"><title>Passkeys</title><link rel="icon" href="data:,">'
                f'<script src="/passkeys.js" defer></script><body>{body}'
            )
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""
