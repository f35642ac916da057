"""Just enough of RFC 6455 to listen to the host: one client, whole text messages."""

from __future__ import annotations

import base64
import os
import socket
import struct
from urllib.parse import urlsplit

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class ConnectionLost(Exception):
    """The host closed the connection or refused it."""


class WebSocket:
    """A connection that yields the host's text messages and answers its pings."""

    def __init__(self, url: str) -> None:
        """Connect and upgrade; `url` is http://host:port/path?query."""
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 80), timeout=30)
        self._buffer = b""
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        )
        self._socket.sendall(request.encode())
        head = self._read_head()
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            raise ConnectionLost(f"The host refused the websocket: {head[:200]!r}")

    def receive_text(self, timeout_s: float) -> str:
        """Return the next text message; binary messages (preview pictures) are passed over.

        Raises:
            TimeoutError: nothing came in time.
            ConnectionLost: the host closed the connection.
        """
        self._socket.settimeout(timeout_s)
        message, kind = b"", 0
        while True:
            final, opcode, payload = self._read_frame()
            if opcode == CLOSE:
                raise ConnectionLost("The host closed the connection.")
            if opcode == PING:
                self._send_frame(PONG, payload)
            if opcode >= CLOSE:  # control frames may stand between the fragments of a message
                continue
            kind = opcode or kind  # a continuation frame carries opcode 0
            message += payload
            if final and kind == TEXT:
                return message.decode("utf-8")
            if final:
                message, kind = b"", 0

    def close(self) -> None:
        """Drop the connection."""
        self._socket.close()

    def _read_head(self) -> bytes:
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        return head

    def _read_frame(self) -> tuple[bool, int, bytes]:
        # Nothing leaves the buffer before the frame is whole, so a timeout in the middle loses nothing.
        self._need(2)
        first, second = self._buffer[0], self._buffer[1]
        start, length = 2, second & 0x7F
        if length == 126:
            self._need(4)
            start, length = 4, struct.unpack(">H", self._buffer[2:4])[0]
        elif length == 127:
            self._need(10)
            start, length = 10, struct.unpack(">Q", self._buffer[2:10])[0]
        self._need(start + length)
        payload = self._buffer[start : start + length]
        self._buffer = self._buffer[start + length :]
        return bool(first & 0x80), first & 0x0F, payload

    def _send_frame(self, opcode: int, payload: bytes) -> None:
        # Clients must mask what they send; control payloads are shorter than 126 bytes.
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self._socket.sendall(bytes([0x80 | opcode, 0x80 | len(payload)]) + mask + masked)

    def _need(self, count: int) -> None:
        while len(self._buffer) < count:
            self._fill()

    def _fill(self) -> None:
        chunk = self._socket.recv(1 << 16)
        if not chunk:
            raise ConnectionLost("The host closed the connection.")
        self._buffer += chunk
