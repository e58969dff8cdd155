"""The site's own certificate authority for the broker and its devices: files, no service, no secret in the database.

Everything is in one folder, as ``hardware/broker/mosquitto.conf`` expects it: ``ca.crt``, ``broker.crt`` and its key,
``revoked.crl``, and one pair for the site (``bposite-site``) and for each device, whose common name is its id.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bposite.plumbing.clock import now
from bposite.plumbing.errors import Conflict, NotFound
from bposite.plumbing.secrets import make_key_file

SITE = "bposite-site"
AUTHORITY_AGE, LEAF_AGE, LIST_AGE = timedelta(days=3650), timedelta(days=825), timedelta(days=3650)
BACKDATE = timedelta(minutes=5)  # a controller whose clock is a little behind must not refuse a new certificate


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key as files, and when it ends."""

    certificate: Path
    key: Path
    until: datetime


def found(folder: Path, site: str, hosts: list[str]) -> None:
    """Make authority, broker and site certificates; what exists is kept. ``hosts`` are the broker's."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "ca.crt").exists():
        _found_authority(folder, site)
    if not (folder / "broker.crt").exists():
        _issue(folder, "broker", hosts)
    if not (folder / f"{SITE}.crt").exists():
        _issue(folder, SITE)
    if not (folder / "revoked.crl").exists():
        _write_list(folder, [])


def enrol(folder: Path, device: str) -> Pair:
    """A new pair for ``device``; Conflict while it has one that was not revoked."""
    if (folder / f"{device}.crt").exists():
        raise Conflict("enrolled", f"{device} is enrolled already.", remedy="Revoke it first.")
    return _issue(folder, device)


def revoke(folder: Path, device: str) -> None:
    """Put the device's certificate on the list of revoked ones; the broker reads the list on SIGHUP."""
    path = folder / f"{device}.crt"
    if not path.exists():
        raise NotFound("not_enrolled", f"{device} is not enrolled.")
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    held = x509.load_pem_x509_crl((folder / "revoked.crl").read_bytes())
    _write_list(folder, [*(row.serial_number for row in held), certificate.serial_number])
    path.unlink()
    (folder / f"{device}.key").unlink(missing_ok=True)


def _found_authority(folder: Path, site: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"bposite {site} device authority")
    certificate = (
        _builder(name, name, key.public_key(), AUTHORITY_AGE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    make_key_file(folder / "ca.key", _pem(key))
    (folder / "ca.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _issue(folder: Path, name: str, hosts: list[str] | None = None) -> Pair:
    authority, signer = _authority(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = (
        _builder(_name(name), authority.subject, key.public_key(), LEAF_AGE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
    certificate = builder.sign(signer, hashes.SHA256())
    make_key_file(folder / f"{name}.key", _pem(key))
    path = folder / f"{name}.crt"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Pair(path, folder / f"{name}.key", certificate.not_valid_after_utc)


def _authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    if not (folder / "ca.key").exists():
        raise NotFound("no_authority", "There is no device authority yet.", remedy="Run bposite device authority.")
    key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("ca.key is not an elliptic-curve key")
    return x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes()), key


def _write_list(folder: Path, serials: list[int]) -> None:
    authority, signer = _authority(folder)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.subject)
        .last_update(now() - BACKDATE)
        .next_update(now() + LIST_AGE)
    )
    for serial in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now() - BACKDATE).build()
        builder = builder.add_revoked_certificate(revoked)
    partial = folder / f".revoked.{os.getpid()}"
    partial.write_bytes(builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    partial.replace(folder / "revoked.crl")


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, age: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - BACKDATE)
        .not_valid_after(now() + age)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=not signs, key_cert_sign=signs, crl_sign=signs, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
