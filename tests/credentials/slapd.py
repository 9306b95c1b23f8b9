"""A real LDAP directory (OpenLDAP's slapd) on free loopback ports, with people, groups and a certificate of its own.

``with slapd(folder) as directory:`` starts it; it needs Debian's slapd and ldap-utils. Every password is the username
with "'s password" behind it, as ``password_of`` says.
"""

from __future__ import annotations

import datetime
import ipaddress
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.conftest import free_port

SUFFIX = "dc=example,dc=com"
ROOT_DN, ROOT_PASSWORD = f"cn=root,{SUFFIX}", "the root's password"
READER_DN, READER_PASSWORD = f"cn=reader,{SUFFIX}", "the reader's password"
PEOPLE, GROUPS = f"ou=people,{SUFFIX}", f"ou=groups,{SUFFIX}"

CONFIGURATION = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile {folder}/pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
database mdb
suffix "{suffix}"
rootdn "{root_dn}"
rootpw "{root_password}"
directory {folder}/data
maxsize 16777216
overlay memberof
memberof-group-oc groupOfNames
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
"""

# The RDN of erin holds what has a meaning in DNs, in filters, or both; frank's username is none for this server.
ENTRIES = f"""\
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {GROUPS}
objectClass: organizationalUnit
ou: groups

dn: {READER_DN}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: {READER_PASSWORD}

dn: uid=carol,{PEOPLE}
objectClass: inetOrgPerson
uid: carol
cn: Carol
sn: Carol
mail: carol@example.com
userPassword: carol's password

dn: uid=dave,{PEOPLE}
objectClass: inetOrgPerson
uid: dave
cn: Dave
sn: Dave
userPassword: dave's password

dn: cn=Erin \\"E\\, \\+1\\" \\<\\#\\> \\5c (O'Neil) \u00e9=*,{PEOPLE}
objectClass: inetOrgPerson
uid: erin
cn: Erin "E, +1" <#> \\ (O'Neil) \u00e9=*
sn: O'Neil
mail: erin@example.com
userPassword: erin's password

dn: uid=frank (two),{PEOPLE}
objectClass: inetOrgPerson
uid: frank (two)
cn: Frank
sn: Frank
userPassword: frank (two)'s password

dn: cn=First Twin,{PEOPLE}
objectClass: inetOrgPerson
uid: twin
cn: First Twin
sn: Twin
userPassword: twin's password

dn: cn=Second Twin,{PEOPLE}
objectClass: inetOrgPerson
uid: twin
cn: Second Twin
sn: Twin
userPassword: twin's password

dn: cn=grace,{PEOPLE}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: grace
userPassword: grace's password

dn: cn=Index Admins,{GROUPS}
objectClass: groupOfNames
cn: Index Admins
member: uid=carol,{PEOPLE}

dn: cn=Wheels\\, sdists,{GROUPS}
objectClass: groupOfNames
cn: Wheels, sdists
member: uid=carol,{PEOPLE}
member: cn=Erin \\"E\\, \\+1\\" \\<\\#\\> \\5c (O'Neil) \u00e9=*,{PEOPLE}

dn: cn=Index Admins,{PEOPLE}
objectClass: groupOfNames
cn: Index Admins
description: a group of that name elsewhere, which counts for nothing
member: uid=dave,{PEOPLE}
"""


@dataclass(frozen=True)
class Slapd:
    """A directory that runs: its addresses, and the file of the CA that signed its certificate (for 127.0.0.1)."""

    url: str
    tls_url: str
    ca_file: Path
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """It is down from now on."""
        self.process.terminate()
        self.process.wait(20)


def password_of(username: str) -> str:
    """The password of one of the people."""
    return f"{username}'s password"


@contextmanager
def slapd(folder: Path) -> Iterator[Slapd]:
    """Start a directory that keeps its things in ``folder``, and stop it afterwards."""
    (folder / "data").mkdir(parents=True)
    make_certificates(folder)
    text = CONFIGURATION.format(folder=folder, suffix=SUFFIX, root_dn=ROOT_DN, root_password=ROOT_PASSWORD)
    configuration = folder / "slapd.conf"
    configuration.write_text(text)
    port, tls_port = free_port(), free_port()
    url, tls_url = f"ldap://127.0.0.1:{port}", f"ldaps://127.0.0.1:{tls_port}"
    with (folder / "slapd.log").open("wb") as log:
        process = subprocess.Popen(
            [program("slapd"), "-f", str(configuration), "-h", f"{url} {tls_url}", "-d", "0"], stdout=log, stderr=log
        )
    directory = Slapd(url, tls_url, folder / "ca.pem", process)
    try:
        for one in (port, tls_port):
            wait_for(one, process, folder / "slapd.log")
        add(url)
        yield directory
    finally:
        directory.stop()


def program(name: str) -> str:
    """The program's path; administrators' programs are not in everybody's PATH."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")
    assert found, f"{name} is missing: install Debian's slapd and ldap-utils"
    return found


def add(url: str) -> None:
    """Fill the directory through itself, so that it fills in memberOf."""
    done = subprocess.run(
        [program("ldapadd"), "-x", "-H", url, "-D", ROOT_DN, "-w", ROOT_PASSWORD],
        input=ENTRIES.encode(), capture_output=True, check=False, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until somebody listens; a program that ended says why."""
    for _ in range(500):
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"nobody listens on {port}: {log.read_text()}")


def make_certificates(folder: Path) -> None:
    """A CA of an hour, and a certificate for 127.0.0.1 that it signed."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA of the tests")])
    ca = _certificate(ca_name, ca_name, ca_key.public_key(), ca_key, x509.BasicConstraints(ca=True, path_length=0))
    server_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "slapd")])
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    server = _certificate(server_name, ca_name, key.public_key(), ca_key, addresses)
    (folder / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (folder / "server.pem").write_bytes(server.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, signer: ec.EllipticCurvePrivateKey,
    extension: x509.BasicConstraints | x509.SubjectAlternativeName,
) -> x509.Certificate:  # fmt: skip
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(
        issuer, subject, key, x509.random_serial_number(), now - datetime.timedelta(minutes=5),
        now + datetime.timedelta(hours=1),
    )  # fmt: skip
    return builder.add_extension(extension, critical=True).sign(signer, hashes.SHA256())
