"""Run a web application under gunicorn: headers that keep it closed, a free port, a browser opened when it is up."""

from __future__ import annotations

import os
import socket
import threading
import time
import urllib.error
import urllib.request
import webbrowser
from typing import TYPE_CHECKING, Any

import gunicorn.app.base

from dashboard.refusals import register_refusals
from dtm.errors import WrongUseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dash import Dash
    from flask import Flask, Response

THREADS_PER_WORKER = 4
UP_WAIT_S = 30.0
STOP_WAIT_S = 3


def security_headers(app: Dash) -> dict[str, str]:
    """Return headers that let a page load nothing from elsewhere."""
    policy = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", *app.csp_hashes()]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "child-src": "blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def close_server(app: Dash) -> Flask:
    """Return the web application of a Dash app with those headers on every answer."""
    server: Flask = app.server
    register_refusals(server)
    headers: dict[str, str] = {}

    @server.after_request
    def _headers(response: Response) -> Response:
        if not headers:
            headers.update(security_headers(app))
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    return server


class Service(gunicorn.app.base.BaseApplication):
    """Run a web application under gunicorn; each worker builds its own after the fork."""

    def __init__(self, build: Callable[[], Flask], options: dict[str, Any]) -> None:
        self.build = build
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        """Take the options as they are; no file and no command line of gunicorn's own."""
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Build the application inside a worker."""
        return self.build()


def check_port(host: str, port: int) -> None:
    """Refuse an address another program listens on.

    Raises
    ------
    WrongUseError
        The port is taken, or may not be opened.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise WrongUseError(
                f"Port {port} on {host} can't be opened ({error.strerror or error}). "
                f"Another program may be using it: stop that, or choose another with --port {port + 1}."
            ) from error


def address_of(host: str, port: int) -> str:
    """Return the address a browser on this machine reaches the service at."""
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104  compared, not bound
    return f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"


def _open_when_up(base: str, url: str) -> None:
    until = time.monotonic() + UP_WAIT_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(base + "healthz", timeout=2):  # noqa: S310  our own address
                webbrowser.open(url)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)


def run(
    build: Callable[[], Flask],
    *,
    host: str,
    port: int,
    workers: int,
    name: str,
    greeting: str,
    browser_url: str | None,
    threads: int = THREADS_PER_WORKER,
    stop_wait_s: int = STOP_WAIT_S,
) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    build
        Makes the web application, in each worker.
    greeting
        Line printed when the service is up.
    browser_url
        Address to open in a browser when it is up; None opens none.
    stop_wait_s
        How long a request under way may take to end when the service is stopped, in seconds.

    Raises
    ------
    WrongUseError
        The port is taken.
    """
    check_port(host, port)

    def when_ready(_server: Any) -> None:
        print(greeting, flush=True)
        if browser_url is not None:
            threading.Thread(target=_open_when_up, args=(address_of(host, port), browser_url), daemon=True).start()

    def worker_exit(_server: Any, _worker: Any) -> None:
        # Requests have ended. Leaving here spares the engine's threads the interpreter's teardown, which aborts them.
        os._exit(0)

    Service(
        build,
        {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": workers,
            "threads": threads,
            "worker_class": "gthread",
            "preload_app": False,
            "loglevel": "warning",
            "graceful_timeout": stop_wait_s,
            "timeout": 60,
            "when_ready": when_ready,
            "worker_exit": worker_exit,
            "proc_name": name,
        },
    ).run()
