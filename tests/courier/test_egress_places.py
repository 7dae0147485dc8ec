"""Where the one way out leads: to this computer alone over plain HTTP, and elsewhere only to who proves its name."""

from __future__ import annotations

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from app.courier.carry import carry
from app.courier.egress import Stopped, loopback_address
from app.courier.pipe import Ending
from tests.courier.standing_in import OrderFor, Pieces, Told, answering

# -- only this computer over plain http


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    async def answer(*_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET6 if ":" in each else socket.AF_INET, 1, 6, "", (each, 80)) for each in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", answer)


async def test_a_name_that_means_this_computer_is_bound_to_the_address(
    server: Any, order_for: OrderFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolving(monkeypatch, "::1", "127.0.0.1")
    assert (await carry(order_for(f"http://my-computer:{server.port}"), Told())).ending is Ending.DONE
    assert f"host: my-computer:{server.port}\r\n" in server.requests[0].head.decode().lower()


@pytest.mark.parametrize("addresses", [["192.0.2.1"], ["127.0.0.1", "192.0.2.1"], [], ["0.0.0.0"], ["fe80::1%eth0"], ["10.0.0.1"]])
async def test_a_name_that_means_anything_else_is_refused(
    order_for: OrderFor, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    resolving(monkeypatch, *addresses)
    end = await carry(order_for("http://my-computer:80", loopback_only=False), Told())
    assert (end.ending, end.sent) == (Ending.REFUSED, 0)


@pytest.mark.parametrize("origin", ["http://192.0.2.1", "http://10.0.0.1:80", "http://[2001:db8::1]", "http://0.0.0.0"])
async def test_plain_http_to_another_address_is_refused(order_for: OrderFor, origin: str) -> None:
    end = await carry(order_for(origin, loopback_only=False), Told())
    assert (end.ending, end.detail) == (Ending.REFUSED, "The server is not on this computer.")


async def test_tls_to_another_address_is_refused_where_this_computer_was_meant(order_for: OrderFor) -> None:
    end = await carry(order_for("https://192.0.2.1"), Told())
    assert end.detail == "The server is not on this computer."


async def test_an_unknown_name(order_for: OrderFor, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> list[Any]:
        raise socket.gaierror

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", fail)
    assert (await carry(order_for("http://nowhere:80"), Told())).ending is Ending.UNREACHABLE
    with pytest.raises(Stopped):
        await loopback_address("nowhere", 80)


async def test_ipv6_loopback() -> None:
    assert await loopback_address("::1", 80) == "::1"


# -- TLS


async def test_a_server_without_a_good_certificate_gets_nothing(order_for: OrderFor, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    begin = datetime.now(UTC)
    draft = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + timedelta(days=1))
    certificate = draft.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False).sign(key, hashes.SHA256())
    file = tmp_path / "server.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    reached: list[int] = []
    listening = await asyncio.start_server(lambda reader, writer: reached.append(1), "127.0.0.1", 0, ssl=context)
    port = listening.sockets[0].getsockname()[1]
    end = await carry(order_for(f"https://localhost:{port}"), Told())
    listening.close()
    assert (end.ending, end.sent) == (Ending.INSECURE, 0)
    assert reached == []


async def test_over_tls_the_name_is_kept_and_the_address_bound(order_for: OrderFor, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "127.0.0.1")
    way, seen = answering(httpx2.Response(200, stream=Pieces()))
    end = await carry(order_for("https://localhost:8443"), Told(), way_out=way)
    assert end.ending is Ending.DONE
    assert str(seen[0].url) == "https://127.0.0.1:8443/v1/chat/completions"
    assert seen[0].headers["host"] == "localhost:8443"
    assert seen[0].extensions["sni_hostname"] == "localhost"


async def test_elsewhere_over_tls_nothing_is_rewritten(order_for: OrderFor) -> None:
    way, seen = answering(httpx2.Response(200, stream=Pieces()))
    end = await carry(order_for("https://api.example", loopback_only=False), Told(), way_out=way)
    assert end.ending is Ending.DONE
    assert str(seen[0].url) == "https://api.example/v1/chat/completions"
    assert seen[0].content == order_for("x").body
