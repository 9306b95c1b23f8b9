"""One-time codes of an authenticator app: TOTP (RFC 6238) with SHA-1, six digits and steps of 30 seconds.

These are the parameters that every app takes. A code is good once: the step it was for is kept, and only a later one
is taken afterwards.
"""

from __future__ import annotations

import hmac
import re
from datetime import datetime

import pyotp

STEP_SECONDS = 30
_STEPS_OFF = 1
_LONGEST = 64
_SEED_LENGTH = 32
_LEFT_OUT = re.compile(r"[\s-]")
_CODE = re.compile(r"[0-9]{6}")
_QUIET_ZONE = 4


def new_seed() -> str:
    """A new seed: 160 random bits, as RFC 4226 recommends, in 32 characters of base32."""
    return pyotp.random_base32(_SEED_LENGTH)


def provisioning_uri(seed: str, username: str, issuer: str) -> str:
    """The ``otpauth://`` address that an app reads from a QR code; ``issuer`` is what the app calls this server.

    A colon divides issuer and account there, so those of the issuer become spaces.
    """
    return pyotp.TOTP(seed).provisioning_uri(name=username, issuer_name=issuer.replace(":", " "))


def qr_svg(uri: str) -> str:
    """The address as a QR code: an ``<svg class="qr">`` to stand in a page, of whatever size its style says.

    Always black on white with the quiet zone of ISO/IEC 18004, since scanners want that in dark mode, too. It has no
    ``style`` attribute, which the pages' policy forbids, and a title for those who do not see it.
    """
    import segno

    drawn = segno.make(uri, error="m", micro=False).svg_inline(
        dark="#000", light="#fff", border=_QUIET_ZONE, omitsize=True, svgclass="qr", lineclass=None,
        title="QR code for an authenticator app",
    )  # fmt: skip
    return drawn.replace("<svg ", '<svg role="img" ', 1)


def check(seed: str, code: str, *, last_step: int | None, now: datetime) -> int | None:
    """The step that a code is for, to be kept as the next ``last_step``; None if the code is not good.

    Steps are counted from 1970. Taken are the present one and its neighbours, for clocks that differ and codes typed
    slowly, if later than ``last_step``. Spaces and dashes do not matter. ``now`` is aware of its zone.
    """
    if len(code) > _LONGEST:
        return None
    digits = _LEFT_OUT.sub("", code)
    if not _CODE.fullmatch(digits):
        return None
    present = int(now.timestamp()) // STEP_SECONDS
    app = pyotp.TOTP(seed)
    earliest = max(present - _STEPS_OFF, 0 if last_step is None else last_step + 1)
    # Every step is compared, so that the time taken does not tell which one it was.
    fitting = [
        step
        for step in range(earliest, present + _STEPS_OFF + 1)
        if hmac.compare_digest(app.generate_otp(step), digits)
    ]
    return fitting[0] if fitting else None
