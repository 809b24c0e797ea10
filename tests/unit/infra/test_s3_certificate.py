"""Certificates of ours, checked by a TLS handshake as strict as Python makes it."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.handlers.certificate import Issued, is_due, issue


def handshake(issued: Issued, folder: Path, name: str, ca_pem: str) -> str | None:
    """The peer's TLS version after a handshake on a socket pair; raises what the client raises."""
    (folder / "cert.pem").write_text(issued.cert_pem)
    (folder / "key.pem").write_text(issued.key_pem)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    client_side = ssl.create_default_context(cadata=ca_pem)
    client_side.verify_flags |= ssl.VERIFY_X509_STRICT
    one, other = socket.socketpair()

    def serve() -> None:
        try:
            server_side.wrap_socket(one, server_side=True).close()
        except (ssl.SSLError, OSError):
            one.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client_side.wrap_socket(other, server_hostname=name) as wrapped:
            return wrapped.version()
    finally:
        other.close()
        thread.join()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "lifecompanion-dev-s3"])
def test_a_client_that_trusts_the_authority_trusts_the_server_by_each_of_its_names(tmp_path: Path, name: str) -> None:
    issued = issue(["localhost", "127.0.0.1", "lifecompanion-dev-s3"], 730)
    assert handshake(issued, tmp_path, name, issued.ca_pem) == "TLSv1.3"


def test_another_name_or_another_authority_is_not_trusted(tmp_path: Path) -> None:
    issued = issue(["localhost"], 730)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(issued, tmp_path, "example.org", issued.ca_pem)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(issued, tmp_path, "localhost", issue(["localhost"], 730).ca_pem)


def test_it_is_renewed_a_month_before_its_end() -> None:
    assert not is_due(issue(["localhost"], 730).not_after)
    assert is_due(issue(["localhost"], 20).not_after)
    assert is_due((datetime.now(UTC) - timedelta(days=1)).isoformat())


def test_the_key_is_in_no_repr() -> None:
    assert "PRIVATE" not in repr(issue(["localhost"], 30))
