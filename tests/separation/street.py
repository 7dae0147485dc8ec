"""The world outside of the laptop: the cable to it, who listens on the cable, and the only server there is."""

from __future__ import annotations

import contextlib
import ctypes
import datetime
import errno
import hashlib
import http.server
import json
import os
import select
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROVIDER = "api.openai.com"
SERVER, LAPTOP = "10.99.0.1", "10.99.0.2"
SERVER6, LAPTOP6 = "fd99::1", "fd99::2"
MAC, LAPTOP_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"
PROGRAM_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/bin", "/bin"])
_NEW_NAMESPACE_OF_FILES, _NEW_USERS, _NEW_NETWORK = 0x00020000, 0x10000000, 0x40000000
"""CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET of linux/sched.h."""
_PRIVATE = 0x4000 | 0x40000
"""MS_REC | MS_PRIVATE of linux/mount.h."""
_BIND = 0x1000


class CannotRun(Exception):
    """This computer has no such namespaces for us; the text says why."""


def after(seconds: float, what: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, what)
    timer.daemon = True
    timer.start()
    return timer


# -- namespaces ---------------------------------------------------------------------------------------------------------------------


def _c(name: str, *arguments: int | bytes | None) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def this_side() -> None:
    """Put this process into namespaces of its own, as root of them. Raises CannotRun."""
    user, group = os.geteuid(), os.getegid()
    try:
        if user == 0:
            _c("unshare", _NEW_NETWORK | _NEW_NAMESPACE_OF_FILES)
        else:
            _c("unshare", _NEW_USERS | _NEW_NETWORK | _NEW_NAMESPACE_OF_FILES)
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"0 {user} 1")
            Path("/proc/self/gid_map").write_text(f"0 {group} 1")
        _c("mount", b"none", b"/", None, _PRIVATE, None)
        ip("link", "set", "lo", "up")
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotRun(f"no network namespaces for this user ({error})") from error


def other_side() -> None:
    """The same for the laptop, whose world is another one."""
    _c("unshare", _NEW_NETWORK | _NEW_NAMESPACE_OF_FILES)
    _c("mount", b"none", b"/", None, _PRIVATE, None)


def put_over(what: Path, place: Path) -> None:
    """Show `what` at `place`, in this namespace of files alone."""
    _c("mount", os.fsencode(what), os.fsencode(place), None, _BIND, None)


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, env={**os.environ, "PATH": PROGRAM_PATH})


def with_ipv6() -> bool:
    return Path("/proc/sys/net/ipv6").exists()


def _one_end(name: str, mac: str, own: tuple[str, str], other: tuple[str, str], other_mac: str) -> None:
    """Addresses, and who is at the other end, so that nobody has to ask for that."""
    ip("link", "set", name, "address", mac)
    ip("address", "add", f"{own[0]}/24", "dev", name)
    if with_ipv6():
        for setting in ("router_solicitations", "accept_ra"):
            Path(f"/proc/sys/net/ipv6/conf/{name}/{setting}").write_text("0")
        ip("link", "set", name, "addrgenmode", "none")
        ip("address", "add", f"{own[1]}/64", "dev", name, "nodad")
    ip("link", "set", name, "up")
    for address in other[: 1 + with_ipv6()]:
        ip("neighbour", "replace", address, "lladdr", other_mac, "dev", name, "nud", "permanent")


def lay_cable(laptop: int) -> None:
    """One cable between this namespace and that of the process `laptop`. Raises CannotRun."""
    try:
        ip("link", "add", "street", "type", "veth", "peer", "name", "cable", "netns", str(laptop))
        _one_end("street", MAC, (SERVER, SERVER6), (LAPTOP, LAPTOP6), LAPTOP_MAC)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotRun(f"no cable between namespaces ({error})") from error


def plug_in() -> None:
    """The laptop's end, called on the laptop: every address of the world is behind the cable."""
    ip("link", "set", "lo", "up")
    _one_end("cable", LAPTOP_MAC, (LAPTOP, LAPTOP6), (SERVER, SERVER6), MAC)
    ip("route", "add", "default", "via", SERVER)
    if with_ipv6():
        ip("-6", "route", "add", "default", "via", SERVER6)


# -- listening ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Packet:
    """What left the laptop: where to, and how many bytes it carried above TCP, from which place of the stream on.

    `opens` is the laptop's port, where it opens a connection. So a packet that was sent again is equal to the first one.
    """

    to: str
    carries: int
    place: int = 0
    opens: int = 0


class Wire:
    """Everything that comes out of the laptop's end of the cable. `chatter` counts the laptop's kernel telling which groups it is in."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))  # ETH_P_ALL
        with contextlib.suppress(PermissionError):  # as root of a user namespace only
            self._socket.setsockopt(socket.SOL_SOCKET, 33, 16 * 1024 * 1024)  # SO_RCVBUFFORCE
        self._socket.bind(("street", 0))
        self._socket.setblocking(False)
        self._packets: list[Packet] = []
        self.chatter = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            select.select([self._socket], [], [])
            with self._lock:
                self._drain()

    def _drain(self) -> None:
        while True:
            try:
                frame, sender = self._socket.recvfrom(65_600)
            except BlockingIOError:
                return
            except OSError as error:  # the laptop was switched off; what came before is still to be read
                if error.errno != errno.ENETDOWN:
                    raise
                continue
            if sender[2] != 4:  # PACKET_OUTGOING: what goes to the laptop
                self._note(frame)

    def _note(self, frame: bytes) -> None:
        packet = taken_apart(frame)
        if packet is None:
            self.chatter += 1
        else:
            self._packets.append(packet)

    def leaving(self) -> list[Packet]:
        """All that came since this was last asked."""
        with self._lock:
            self._drain()
            found, self._packets = self._packets, []
            return found


def taken_apart(frame: bytes) -> Packet | None:
    """A frame's meaning; None for multicast reports (RFC 3810, ICMPv6 type 143), which kernels send by themselves."""
    kind = int.from_bytes(frame[12:14], "big")
    packet = frame[14:]
    if kind == 0x86DD:
        upper, at = packet[6], 40
        if upper == 0:  # hop-by-hop options
            upper, at = packet[40], 40 + 8 * (packet[41] + 1)
        if upper == 58 and packet[at] == 143:
            return None
        return _of_ip(upper, f"[{socket.inet_ntop(socket.AF_INET6, packet[24:40])}]", packet[at : 40 + int.from_bytes(packet[4:6], "big")])
    if kind == 0x0800:
        upper_at = 4 * (packet[0] & 15)
        return _of_ip(packet[9], socket.inet_ntoa(packet[16:20]), packet[upper_at : int.from_bytes(packet[2:4], "big")])
    return Packet(f"an address of Ethernet (type {kind:#06x})", len(packet))


def _of_ip(upper: int, to: str, rest: bytes) -> Packet:
    if upper != 6:
        port = f":{struct.unpack('!HH', rest[:4])[1]} (UDP)" if upper == 17 else f" (protocol {upper})"
        return Packet(to + port, len(rest))
    own, port, place, flags = struct.unpack("!HHI4xH", rest[:14])
    return Packet(f"{to}:{port}", len(rest) - 4 * (flags >> 12), place, own if flags & 2 and not flags & 16 else 0)


# -- the server ---------------------------------------------------------------------------------------------------------------------


class Provider:
    """Answers as the provider's API does. `bodies`: size and digest of each request's body. Its authority's certificate is in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.bodies: list[tuple[int, str]] = []
        self._chain = certify(folder)

    def open(self) -> None:
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                provider.bodies.append((len(body), hashlib.sha256(body).hexdigest()))
                events = [
                    {"type": "response.output_text.delta", "delta": "A cup of coffee."},
                    {"type": "response.completed", "response": {"status": "completed"}},
                ]
                answer = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._chain)
        server = http.server.ThreadingHTTPServer((SERVER, 443), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()


def certify(folder: Path) -> Path:
    """Make an authority (`authority.pem`) and a certificate for the provider's name; returns the file with its key and chain."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    now = datetime.datetime.now(datetime.UTC)

    def made(name: str, by: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, authority: bool) -> x509.Certificate:
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = x509.CertificateBuilder(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, by)]),
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
            key.public_key(),
            x509.random_serial_number(),
            now - datetime.timedelta(days=1),
            now + datetime.timedelta(days=1),
        )
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        builder = builder.add_extension(own, critical=False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        if authority:
            usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, critical=True)
        else:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        return builder.sign(signer, hashes.SHA256())

    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = made("The only authority here", "The only authority here", authority_key, authority_key, True)
    leaf = made(PROVIDER, "The only authority here", key, authority_key, False)
    pem = serialization.Encoding.PEM
    (folder / "authority.pem").write_bytes(authority.public_bytes(pem))
    chain = folder / "provider.pem"
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain.write_bytes(plain + leaf.public_bytes(pem))
    return chain
