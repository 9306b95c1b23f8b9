"""``/api/journal``: every change for administrators, filtered, paged by serial, streamed, and proved."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from database.journal import Actor, Entry
from database.journal_proof import head
from server import create_app
from services import Services
from tests.conftest import TESTER, LiveServer, basic

Stock = Callable[[Services], None]
ADDRESSES = ["/api/journal", "/api/journal/export", "/api/journal/verify"]
ALICE = basic("alice")


@pytest.fixture
def client(secured: Services, stock: Stock) -> FlaskClient:
    """A client of a server with authentication that holds something."""
    stock(secured)
    return create_app(secured).test_client()


def read(client: FlaskClient, query: str = "") -> dict[str, Any]:
    """What alice is answered."""
    answer = client.get(f"/api/journal{query}", headers=ALICE)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store"), answer.text
    document: dict[str, Any] = answer.json  # type: ignore[assignment]
    return document


def actions(client: FlaskClient, query: str = "") -> list[str]:
    """The actions of the rows that alice is answered."""
    return [row["action"] for row in read(client, query)["rows"]]


@pytest.mark.parametrize("address", ADDRESSES)
def test_administrators_alone_may_read_it(client: FlaskClient, secured: Services, address: str) -> None:
    """Nobody: 401; others, and a token that is not for administering: 403; an administrator's token for it: 200."""
    assert client.get(address).status_code == 401
    assert client.get(address, headers=basic("bob")).status_code == 403
    assert client.get(address, headers=ALICE).status_code == 200
    assert client.post(address, headers=ALICE).status_code == 405
    assert client.head(address, headers=ALICE).status_code == 200


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_server_without_accounts_shows_it_to_nobody(services: Services, address: str) -> None:
    """There are no administrators then."""
    answer = create_app(services).test_client().get(address)
    assert (answer.status_code, answer.content_type) == (403, "application/problem+json")


def test_a_row_says_who_did_what(client: FlaskClient, secured: Services) -> None:
    """From where, in which request, with what else is to be said; and the head of all."""
    client.put("/api/packages/other/status", json={"status": "archived", "reason": "Old."}, headers=ALICE)
    (row,) = read(client, "?action=project.status")["rows"]
    assert (row["actor"], row["address"], row["index"], row["project"]) == ("alice", "127.0.0.1", "main", "other")
    assert "Old." in str(row["detail"])
    assert re.fullmatch(r"[0-9a-f]{64}", row["chain"])
    assert row["at"].endswith("Z")
    kept = head(secured.database)
    assert kept
    assert read(client)["head"] == {"serial": kept.serial, "hash": kept.hash}


def test_filters_are_query_parameters(client: FlaskClient) -> None:
    """By action, actor, project in any spelling, version, file, day and moment."""
    assert set(actions(client, "?action=file.*&per_page=1000")) == {"file.publish"}
    assert actions(client, "?project=Demo_Pkg&version=2.0&action=release.create") == ["release.create"]
    assert actions(client, "?filename=demo_pkg-1.0.tar.gz&action=file.publish") == ["file.publish"]
    assert actions(client, "?actor=nobody") == actions(client, "?until=2020-01-01") == []
    assert actions(client, "?since=2020-01-01T00:00:00Z") == actions(client)
    assert actions(client, "?order=newest") == actions(client)[::-1]


@pytest.mark.parametrize(
    "query",
    [
        "actor=", "action=FILE.*", "action=file.**", "since=soon", "since=", "since=2026-01-01T12:00",
        "until=2026-02-30", "after=-1", "after=x",
        "before=1234567890123456789", "per_page=0", "per_page=1001", "order=random", "project=a%20b", "page=2",
        "actor=a&actor=b",
    ],
)  # fmt: skip
def test_what_is_unfit_is_refused(client: FlaskClient, query: str) -> None:
    """Nothing is passed over, so that nobody takes a part for the whole."""
    answer = client.get(f"/api/journal?{query}", headers=ALICE)
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_pages_go_on_by_serial(client: FlaskClient, secured: Services, order: str) -> None:
    """The Link header leads through all rows, once each, also while new ones are written; the last page has none."""
    whole = [row["serial"] for row in read(client, f"?order={order}&per_page=1000&action=file.*")["rows"]]
    address, seen = f"/api/journal?order={order}&per_page=2&action=file.*", []
    while address:
        answer = client.get(address, headers=ALICE)
        seen += [row["serial"] for row in answer.json["rows"]]  # type: ignore[index]
        with secured.database.writing() as change:
            change.record(TESTER, Entry("later"))
        found = re.fullmatch(r'<http://localhost(/api/journal\?.*)>; rel="next"', answer.headers.get("Link", ""))
        address = found[1] if found else ""
    assert seen == whole
    assert len(seen) == 5


def test_the_export_is_a_stream_of_all_rows(client: FlaskClient) -> None:
    """JSON lines have what the list has; a browser saves it under a name."""
    answer = client.get("/api/journal/export", headers=ALICE)
    assert answer.content_type == "application/jsonl"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="journal.jsonl"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Content-Length" not in answer.headers
    assert [json.loads(line) for line in answer.text.splitlines()] == read(client, "?per_page=1000")["rows"]
    some = client.get("/api/journal/export?action=release.*", headers=ALICE).text
    assert [json.loads(line)["action"] for line in some.splitlines()] == ["release.create"] * 4


def test_csv_is_for_spreadsheets(client: FlaskClient, secured: Services) -> None:
    """S123: a name that would be computed is quoted."""
    with secured.database.writing() as change:
        change.record(Actor("=1+1"), Entry("later"))
    answer = client.get("/api/journal/export?format=csv", headers=ALICE)
    assert answer.content_type == "text/csv; charset=utf-8; header=present"
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert (len(rows), rows[-1]["actor"]) == (len(read(client, "?per_page=1000")["rows"]), "'=1+1")


def lane_size(services: Services) -> int:
    """How many requests may be slow at a time: three quarters of the threads."""
    return services.settings.threads - services.settings.threads // 4


def test_an_export_takes_a_place_among_slow_requests(secured: Services, stock: Stock) -> None:
    """Clients that read slowly cannot hold all threads; whoever ends, ends the place, too."""
    stock(secured)
    app = create_app(secured)
    client, lane = app.test_client(), app.extensions["lane"]
    for _ in range(2 * secured.settings.threads):
        with client.head("/api/journal/export", headers=ALICE) as answer:
            assert answer.status_code == 200
        assert client.get("/api/journal/export?format=xml", headers=ALICE).status_code == 400
        assert client.get("/api/journal/export", headers=ALICE).text
        client.get("/api/journal/export", headers=ALICE).close()
    places = [lane.take() for _ in range(lane_size(secured))]
    answer = client.get("/api/journal/export", headers=ALICE)
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    places.pop().leave()
    assert client.get("/api/journal/export", headers=ALICE).status_code == 200


def test_a_damaged_journal_is_refused_before_the_answer_begins(client: FlaskClient, secured: Services) -> None:
    """503 with what to do, no half of a file under 200."""
    connection = secured.database._connect()
    connection.execute("UPDATE journal SET at = 'x'")
    connection.close()
    for address in ("/api/journal", "/api/journal/export"):
        answer = client.get(address, headers=ALICE)
        assert (answer.status_code, "journal verify" in answer.text) == (503, True)


def test_half_a_surrogate_pair_is_no_fault(client: FlaskClient, secured: Services) -> None:
    """JSON can write it, UTF-8 cannot: the answers are ASCII."""
    with secured.database.writing() as change:
        change.record(TESTER, Entry("later", detail={"said": "\ud800"}))
    assert read(client, "?action=later")["rows"][0]["detail"] == {"said": "\ud800"}
    assert '"\\ud800"' in client.get("/api/journal/export?action=later", headers=ALICE).text


def test_a_piece_is_proved_at_a_time(client: FlaskClient, secured: Services) -> None:
    """Until the end is reached; a changed row is named."""
    after, rows = 0, 0
    while True:
        found: Any = client.get(f"/api/journal/verify?after={after}&rows=5", headers=ALICE).json
        assert (found["holds"], found["faults"]) == (True, [])
        rows += found["rows"]
        after = found["last"]["serial"] if found["last"] else after
        if found["complete"]:
            break
    everything = read(client, "?per_page=1000")
    assert (rows, after) == (len(everything["rows"]), everything["head"]["serial"])
    serial = everything["rows"][3]["serial"]
    connection = secured.database._connect()
    connection.execute("UPDATE journal SET actor = 'nobody' WHERE serial = ?", (serial,))
    connection.close()
    found = client.get("/api/journal/verify", headers=ALICE).json
    assert (found["holds"], found["broken"], found["faults"][0]["serial"]) == (False, 1, serial)


def opened(request: urllib.request.Request) -> Any:
    """The answer, asked for again while the server still sends to those who went away."""
    for _ in range(100):
        try:
            return urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 503:
                raise
            time.sleep(0.1)
    raise AssertionError("places were never given back")


def test_a_real_server_streams_many_rows(live: Callable[..., LiveServer], secured: Services) -> None:
    """Six thousand rows come whole, to several at a time; who goes away before the end leaves no place taken."""
    with secured.database.writing() as change:
        for number in range(6_000):
            change.record(TESTER, Entry("later", detail={"number": number}))
    server = live("--auth", "--threads", "4", data=secured.settings.data_path)
    address = f"{server.url}/api/journal/export?action=later"
    for method in ("HEAD", "GET") * 6:
        with opened(urllib.request.Request(address, headers=ALICE, method=method)) as answer:
            answer.read(1000)
    found: list[list[int]] = []

    def take() -> None:
        with opened(urllib.request.Request(address, headers=ALICE)) as answer:
            found.append([json.loads(line)["detail"]["number"] for line in answer])

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [list(range(6_000))] * 3
