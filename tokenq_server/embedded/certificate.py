"""The certificate of ``tokenq up`` on the network: its own, made at the first time, or one that the user brings."""

from pathlib import Path
from typing import NamedTuple

from tokenq_server.embedded.addresses import network_addresses
from tokenq_server.embedded.folder import DataFolder, write_privately
from tokenq_server.embedded.reports import UpOptions
from tokenq_server.tls import check_certificate


class Certificate(NamedTuple):
    """Where the API finds its certificate and key (``None``: in the same file), and the certificate's fingerprint."""

    file: Path
    key: Path | None
    fingerprint: str


def choose_certificate(options: UpOptions, folder: DataFolder) -> Certificate | None:
    """Return the certificate that the options ask for; ``None`` for plain http.

    Raises:
        Refused: the user's certificate or key is not usable.
    """
    if options.tls_cert:
        file, key = options.tls_cert.absolute(), options.tls_key.absolute() if options.tls_key else None
    elif options.own_certificate:
        file, key = folder.own_certificate, None
        if not file.exists():
            from tokenq_server.embedded.own_certificate import make_certificate

            write_privately(file, make_certificate(network_addresses()))
    else:
        return None
    return Certificate(file, key, check_certificate(file, key))
