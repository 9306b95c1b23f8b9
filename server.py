"""How the server is put together, and how it is run.

``create_app`` gives the Flask application with every view; ``create_wsgi`` puts the fast path and the outermost layer
around it; ``serve`` runs that under granian or waitress until a signal.
"""

from __future__ import annotations

if __name__ == "__main__":
    from console.entrance import explain_missing_modules

    explain_missing_modules("start it with ./start.sh, which makes .venv with all that is needed.")

import argparse
import inspect
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config import OPTIONS, Settings, ensure_secret_key, load_settings, prepare_directories
from console.banner import print_banner
from errors import DataDirectoryInUse, InvalidSetting, PortInUse, Refusal, shown
from indexes.declaring import release
from options import SHORT
from services import Services, open_services
from storage.locks import hold

if TYPE_CHECKING:
    from flask import Flask

    from views.front import Front

_STOP_SECONDS = 30


def create_app(services: Services) -> Flask:
    """The Flask application over these services: every address but what the fast path takes first."""
    import jinja2

    from views import (
        addressing,
        api,
        errors,
        feeds,
        files,
        guards,
        health,
        integrity,
        legacy,
        oidc_publishing,
        simple,
        upload,
        web,
        xmlrpc,
    )  # fmt: skip # isort: skip
    from views.api import registration
    from views.contents import ContentsReader
    from views.lane import SlowLane
    from views.web import session

    app = addressing.Application(
        __name__, static_folder=None
    )  # views/web/system.py serves static files, with their digest
    app.url_map.merge_slashes = False  # `/simple//evil.example` is no other way to say `/simple/evil.example`
    app.secret_key = ensure_secret_key(services.settings)
    app.extensions["services"] = services
    lane = app.extensions["lane"] = SlowLane(services.settings.threads)
    app.extensions["file_server"] = files.FileServer(services, lane)
    app.extensions["contents"] = ContentsReader(
        services.storage, services.contents_inspector, services.settings.threads, guards.who_asks
    )
    app.config["MAX_CONTENT_LENGTH"] = None  # the upload view bounds its own body, the others read little
    app.config["TEMPLATES_AUTO_RELOAD"] = services.settings.debug
    app.jinja_env.undefined = jinja2.StrictUndefined
    app.json.sort_keys = False  # type: ignore[attr-defined]
    session.configure_cookies(app, services.settings)
    session.login_manager(app)
    errors.register(app)
    app.before_request(guards.refuse_cross_site)
    app.before_request(partial(addressing.refuse_elsewhere, app))
    for module in (simple, files, upload, health, integrity, oidc_publishing, api, legacy, xmlrpc, feeds, web):
        app.register_blueprint(module.blueprint)
    app.register_blueprint(registration.older)
    return app


def create_wsgi(services: Services) -> Front:
    """The whole WSGI application of one process."""
    from views.access_log import AccessLog, configure
    from views.fastpath import FastPath
    from views.front import Front

    configure(as_json=services.settings.json_logs)
    app = create_app(services)
    fast = FastPath(services, app.extensions["file_server"])
    log = AccessLog(sys.stderr, as_json=services.settings.json_logs)
    front = Front(app, fast, log, services.settings, app.extensions["lane"], services.pairs)
    app.extensions["metrics"] = front.registry
    return front


def serve(settings: Settings, *, reload: bool = False) -> int:
    """Serve until a signal ends it; the exit code: 0, 1 if the port or the data directory cannot be had, 2 for a
    setting that cannot be used.
    """
    reloaded = reload and _is_reloaded()
    try:
        # The reloader's child serves under its parent's locks.
        with nullcontext() if reloaded else _held(settings):
            if reloaded:
                address, port = settings.host, settings.port  # the parent listens and hands its socket over
            else:
                address, port = _address(settings)
                _greet(settings, port)
            run = (
                _run_reloading if reload else {"granian": _run_granian, "waitress": _run_waitress}[settings.server_name]
            )
            run(settings, address, port)
    except Refusal as refusal:
        print(f"Error: {refusal.sentence}", file=sys.stderr)  # noqa: T201 - there is no log yet
        return 2 if isinstance(refusal, InvalidSetting) else 1
    return 0


@contextmanager
def _held(settings: Settings) -> Iterator[None]:
    """Hold the data directory against a second server. Raises DataDirectoryInUse."""
    prepare_directories(settings)
    with ExitStack() as held:
        # The store has its own state beside the files, wherever the database is.
        for folder in {settings.data_path / ".state", settings.state_path}:
            folder.mkdir(parents=True, exist_ok=True)
            lock = hold(folder / "server.lock")
            if lock is None:
                raise DataDirectoryInUse(
                    f"Another server runs on {folder.parent}; stop it, or choose another folder with --data-dir."
                )
            held.enter_context(lock)
        yield


def _greet(settings: Settings, port: int) -> None:
    """Make the schema and the administrator, and say on one screen what is served. Closed before workers are forked."""
    services = open_services(settings)
    try:
        ensure_secret_key(settings)
        if services.pairs is None:
            release(services.indexes)  # a file declared indexes at an earlier start
        made = services.users.ensure_admin(settings.admin_password or None) if settings.auth_enabled else ""
        print_banner(services, port, made_admin=made)
    finally:
        services.close()


def _address(settings: Settings) -> tuple[str, int]:
    """The address and port to listen on; port 0 becomes a free one. Raises PortInUse.

    granian binds with SO_REUSEPORT, under which a second server would silently share the port: hence a bind without it.
    """
    try:
        family, _, _, _, found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name != "nt":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(found)
            return str(found[0]), int(probe.getsockname()[1])
    except socket.gaierror as error:
        raise InvalidSetting(
            f"The host {settings.host} is not an address of this machine: {error.strerror}."
        ) from error
    except OSError as error:
        raise PortInUse(settings.host, settings.port, error.strerror or str(error)) from error


# -- the servers underneath


def load_worker(dumped: str) -> Front:
    """The application of one process, with what runs beside requests; ended when the process ends."""
    from jobs.background import Background

    settings = Settings.restore(dumped)
    services = open_services(settings)
    front = create_wsgi(services)
    first = hold(settings.state_path / "background.lock")
    background = Background(services, is_first=first is not None)
    background.start()

    def close() -> None:
        background.stop()
        try:
            services.close()
        finally:
            front.close()

    # Processes of multiprocessing run no atexit functions; the main process runs both.
    Finalize(None, close, exitpriority=100)
    if multiprocessing.parent_process() is not None:
        threading.Thread(target=_end_with_parent, args=[os.getppid()], name="parent", daemon=True).start()
    return front


def _end_with_parent(parent: int) -> None:
    """End gracefully when the main process was killed: an orphan would hold the port and the data directory."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def _run_granian(settings: Settings, address: str, port: int) -> None:
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    # granian puts the environment into every request: secrets do not belong there, and HTTP_* would pass for headers.
    for name in [
        name for name in os.environ if name.startswith(("HTTP_", "CONTENT_", "PYPI_")) and name != "HTTP_PROXY"
    ]:
        del os.environ[name]
    chosen: dict[str, Any] = {
        "interface": Interfaces.WSGI,
        "workers": settings.workers,
        "blocking_threads": settings.threads,
        "http": HTTPModes.http1,
        "websockets": False,
        "log_level": LogLevels.error,
        "respawn_failed_workers": True,
        "workers_kill_timeout": _STOP_SECONDS,
        "backlog": 2048,
    } | passed_on(settings.granian, Server.__init__, "granian")
    server = Server("server", address=address, port=port, **chosen)
    server.serve(target_loader=partial(load_worker, settings.dump()), wrap_loader=False)


def _run_waitress(settings: Settings, address: str, port: int) -> None:
    import waitress
    from waitress import wasyncore
    from waitress.adjustments import Adjustments

    chosen: dict[str, Any] = {
        "threads": settings.threads,
        "ident": None,
        "max_request_body_size": settings.max_file_size + (64 << 20),
        "channel_timeout": 60,
        "clear_untrusted_proxy_headers": False,  # whether a request was forwarded is for us to judge
    } | passed_on_to_waitress(settings.waitress, Adjustments)
    front = load_worker(settings.dump())
    server = waitress.create_server(front, host=address, port=port, **chosen)

    def end(_signal: int, _frame: object) -> None:
        server.accepting = False
        until = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < until and any(
            channel.requests or channel.total_outbufs_len for channel in server.active_channels.values()
        ):
            wasyncore.loop(timeout=0.2, map=server._map, count=1)  # noqa: SLF001 - the only way to let it go on
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    server.run()


def _run_reloading(settings: Settings, address: str, port: int) -> None:
    """Flask's development server, which starts anew when a file of ours changes. Never with its debugger."""
    from werkzeug.serving import run_simple

    front: Any = load_worker(settings.dump()) if _is_reloaded() else _nothing
    run_simple(address, port, front, use_reloader=True, use_debugger=False, threaded=True)


def _is_reloaded() -> bool:
    return os.environ.get("WERKZEUG_RUN_MAIN") == "true"


def _nothing(_environ: object, _start_response: object) -> list[bytes]:
    """What the reloader's parent serves: it only watches files."""
    return []


def passed_on(options: Mapping[str, str], receiver: Callable[..., Any], section: str) -> dict[str, Any]:
    """The options of a ``[granian]`` section with the types that granian's own signature gives them.

    Raises InvalidSetting for one that it does not know.
    """
    known = inspect.signature(receiver).parameters
    taken: dict[str, Any] = {}
    for name, text in options.items():
        parameter = known.get(name)
        if parameter is None or name in {"self", "target", "address", "port"}:
            raise InvalidSetting(
                f"[{section}] {shown(name)} is not an option of {section}; its documentation lists them."
            )
        try:
            taken[name] = _converted(text, str(parameter.annotation))
        except ValueError as error:
            raise InvalidSetting(
                f"[{section}] {name} is {shown(text)}, which is no {parameter.annotation}; write one."
            ) from error
    return taken


def _converted(text: str, annotation: str) -> Any:
    if annotation.startswith("bool"):
        if text.lower() not in {"true", "false"}:
            raise ValueError(text)
        return text.lower() == "true"
    if annotation.startswith("int"):
        return int(text)
    if annotation.startswith("float"):
        return float(text)
    if annotation.startswith("Path"):
        return Path(text)
    if annotation.startswith("str"):
        return text
    raise ValueError(text)


def passed_on_to_waitress(options: Mapping[str, str], adjustments: Any) -> dict[str, Any]:
    """The options of the ``[waitress]`` section, in the types that waitress names. Raises InvalidSetting."""
    known = dict(adjustments._params)  # noqa: SLF001 - the only list of them
    taken: dict[str, Any] = {}
    for name, text in options.items():
        if name not in known or name in {"host", "port", "listen", "sockets", "unix_socket"}:
            raise InvalidSetting(
                f"[waitress] {shown(name)} is not an option of waitress; its documentation lists them."
            )
        try:
            taken[name] = known[name](text)
        except (ValueError, TypeError) as error:
            raise InvalidSetting(f"[waitress] {name} is {shown(text)}, which waitress does not take.") from error
    return taken


# -- as a program


def main(arguments: Sequence[str] | None = None) -> int:
    """``server.py [flags]``: the flags of the settings, and ``--config`` and ``--reload``."""
    parser = argparse.ArgumentParser(prog="server.py", description="Serve a Python package index.", allow_abbrev=False)
    parser.add_argument("--config", type=Path, help="The settings file; ./pypi.conf where there is one.")
    parser.add_argument("--reload", action="store_true", help="Flask's development server, for work on this program.")
    for one in OPTIONS.values():
        if not one.flag:
            continue
        if isinstance(one.default, bool):
            parser.add_argument(one.flag, dest=one.name, action=argparse.BooleanOptionalAction, help=one.doc)
        else:
            names = [SHORT[one.name], one.flag] if one.name in SHORT else [one.flag]
            parser.add_argument(*names, dest=one.name, help=one.doc)
    chosen = vars(parser.parse_args(arguments))
    config, reload = chosen.pop("config"), chosen.pop("reload")
    try:
        settings = load_settings(config, chosen)
    except InvalidSetting as refusal:
        print(f"Error: {refusal.sentence}", file=sys.stderr)  # noqa: T201 - there is no log yet
        return 2
    return serve(settings, reload=reload)


if __name__ == "__main__":
    sys.exit(main())
