"""The certificate that the API shows on the network."""

import ssl
from pathlib import Path

from tokenq.contract.certificates import fingerprint_of
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.system import SettingReason


def check_certificate(certificate: Path, key: Path | None) -> str:
    """Return the certificate's fingerprint, once it is clear that a server can start with it.

    ``certificate`` is a PEM file with the server's certificate first; without ``key`` it holds the private key, too.
    Around them, tools write names in any encoding.

    Raises:
        Refused: ``invalid``: a file cannot be read or is none, or the key is another one's or has a password.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
        first = certificate.read_text("latin-1").partition(_BEGIN)[2].partition(_END)[0]
        return fingerprint_of(ssl.PEM_cert_to_DER_cert(f"{_BEGIN}{first}{_END}\n"))
    except ssl.SSLError as error:
        fault = _FAULTS.get(error.reason or "", "it is no certificate with its key, in PEM")
    except OSError as error:
        fault = f"{error.strerror}"
    except ValueError as error:
        fault = str(error)
    files = f"{certificate} and {key}" if key else str(certificate)
    raise refuse(SettingReason.WRONG_CERTIFICATE, files=files, fault=fault)


_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_FAULTS = {"KEY_VALUES_MISMATCH": "the key belongs to another certificate"}


def _no_password() -> str:
    raise ValueError("the key has a password, which nobody could type at each start")
