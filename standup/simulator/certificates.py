"""Make the certificates that the loopback Discord shows and its clients trust."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificates:
    """One authority and one certificate for this machine, made anew for each run."""

    ca_file: Path
    """PEM of the authority: what a client puts into SSL_CERT_FILE."""
    server_tls: ssl.SSLContext
    client_tls: ssl.SSLContext


def make_certificates(folder: Path) -> Certificates:
    """Make an authority and a certificate for 127.0.0.1 and localhost; only the authority's PEM is written."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    ca_file = folder / "loopback-ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(server_tls)
    client_tls = ssl.create_default_context(cafile=str(ca_file))
    return Certificates(ca_file, server_tls, client_tls)
