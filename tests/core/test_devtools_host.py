"""The host's process as the tests start it: a port that somebody else took is left to them."""

import http.server
import sys
import threading
from pathlib import Path

import pytest

from devtools.host import HostFailed, HostInstall, HostProcess

# Listens on the port that it is told and answers as the host does; without a port of its own it dies.
HOST = """
import http.server, json, sys

class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"system": {"argv": sys.argv}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

class Server(http.server.HTTPServer):
    allow_reuse_address = False

Server(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Answers).serve_forever()
"""


class Other(http.server.BaseHTTPRequestHandler):
    """Another host, of somebody else's."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"system": {"argv": ["--base-directory", "elsewhere"]}}')

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def host_in(folder: Path, script: str) -> HostProcess:
    (folder / "main.py").write_text(script, encoding="utf-8")
    return HostProcess(HostInstall(folder, Path(sys.executable)), folder, cpu=True)


def test_a_port_that_another_host_took_is_left_to_it(tmp_path: Path):
    host = host_in(tmp_path, HOST)
    with http.server.HTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever).start()
        try:
            host.port = taken = other.server_address[1]
            host.url = f"http://127.0.0.1:{taken}"
            with host:
                assert host.port != taken
                assert host.url == f"http://127.0.0.1:{host.port}"
        finally:
            other.shutdown()


def test_a_host_that_dies_is_not_started_again(tmp_path: Path):
    host = host_in(tmp_path, "import sys\nsys.exit('no such model')\n")
    port = host.port
    with pytest.raises(HostFailed, match="no such model"):
        host.start()
    assert host.port == port
