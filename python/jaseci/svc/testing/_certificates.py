"""Certificates for a server on the loopback interface, by an authority that lives as long as the server's folder."""

from pathlib import Path


def write_certificates(folder: Path) -> None:
    """Writes `ca.pem`, and `server.pem` and `server.key` for 127.0.0.1 and localhost.

    Raises ``ImportError`` that says what to install if `trustme` is not there.
    """
    try:
        import trustme
    except ImportError as error:
        raise ImportError("a private Redis with TLS needs PyPI's trustme: `pip install trustme`") from error
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    certificate.private_key_pem.write_to_path(folder / "server.key")
    certificate.cert_chain_pems[0].write_to_path(folder / "server.pem")
