"""What is uploaded: a small project under a name of its own."""

from __future__ import annotations

import base64
import hashlib
import io
import secrets
import tarfile
import zipfile
from typing import NamedTuple


class File(NamedTuple):
    """A file that is uploaded."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The digest that the server has to give, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


class Sample:
    """A project under a name of its own, with one release: a wheel and an sdist."""

    def __init__(self) -> None:
        self.name, self.version = f"live-check-{secrets.token_hex(5)}", "1.0"
        self.module = self.name.replace("-", "_")
        self.metadata = (
            f"Metadata-Version: 2.2\nName: {self.name}\nVersion: {self.version}\n"
            f"Summary: A live check of this server; it may be deleted.\nRequires-Python: >=3.8\n"
        ).encode()
        self.wheel, self.sdist = self.make_wheel(answer=42), self.make_sdist()

    def make_wheel(self, answer: int) -> File:
        """The wheel; another answer makes other bytes."""
        folder = f"{self.module}-{self.version}.dist-info"
        members = {
            f"{self.module}.py": f"answer = {answer}\n".encode(),
            f"{folder}/METADATA": self.metadata,
            f"{folder}/WHEEL": b"Wheel-Version: 1.0\nGenerator: live check\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = ""
        for name, content in members.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record += f"{name},sha256={digest},{len(content)}\n"
        members[f"{folder}/RECORD"] = f"{record}{folder}/RECORD,,\n".encode()
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return File(f"{self.module}-{self.version}-py3-none-any.whl", buffer.getvalue())

    def make_sdist(self) -> File:
        """The sdist."""
        members = {
            "PKG-INFO": self.metadata,
            "pyproject.toml": b"[build-system]\nrequires = []\n",
            f"{self.module}.py": b"answer = 42\n",
        }
        buffer, top = io.BytesIO(), f"{self.module}-{self.version}"
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            for name, content in members.items():
                info = tarfile.TarInfo(f"{top}/{name}")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        return File(f"{top}.tar.gz", buffer.getvalue())
