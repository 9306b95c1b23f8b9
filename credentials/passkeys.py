"""Passkeys (Web Authentication, Level 3): their options for the browser, and whether its answers are good.

The device has to verify who holds it (PIN, fingerprint, face), so a passkey is a whole sign-in by itself as well as a
second factor. No attestation is asked for: any maker's device will do, and a statement that comes is not looked at.

A challenge is kept by the caller for the one answer to it, CHALLENGE_SECONDS at most. The library is imported where it
is first needed: it takes longer than Flask.
"""

from __future__ import annotations

import ipaddress
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from errors import InvalidRequest, NotAuthenticated, shown

CHALLENGE_SECONDS = 300
LONGEST_ANSWER = 16_384
LONGEST_ID_BYTES = 1_023
_CHALLENGE_BYTES = 32
# An RSA key of 4,096 bits has some 530; a key that is very much longer would keep the server busy at each sign-in.
_LONGEST_KEY_BYTES = 1_024
_DEFAULT_PORTS = {"http": 80, "https": 443}


class RelyingParty(NamedTuple):
    """This server as browsers and devices know it."""

    rp_id: str
    origin: str


@dataclass(frozen=True, slots=True)
class Registered:
    """A new passkey: what is kept of it."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    is_synced: bool
    """Whether the device may copy it to the person's others."""


@dataclass(frozen=True, slots=True)
class Used:
    """A passkey that signed: ``new_sign_count`` is kept for the next time.

    ``user_handle`` is the ``user_id`` it was registered with, where the device says so. It is not signed, so whose
    the passkey is, the row of ``credential_id`` says.
    """

    credential_id: bytes
    new_sign_count: int
    user_handle: bytes | None


def new_challenge() -> bytes:
    """A challenge for one answer: 256 random bits."""
    return secrets.token_bytes(_CHALLENGE_BYTES)


def relying_party(url: str) -> RelyingParty:
    """The relying party of a server whose ``base_url`` or origin is given; a path is left out.

    Raises InvalidRequest where browsers would refuse: at an IP address, and over plain HTTP except on localhost.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port
    except ValueError:
        host, port = "", None
    if not host or parts.scheme not in _DEFAULT_PORTS:
        raise InvalidRequest(f"{shown(url)} is not an address that passkeys can belong to; open the server by https.")
    if _is_ip_address(host):
        raise InvalidRequest("Passkeys belong to a host name and not to an IP address; open the server by its name.")
    if parts.scheme == "http" and host != "localhost" and not host.endswith(".localhost"):
        raise InvalidRequest("Browsers use passkeys over HTTPS only; open the server, and set base_url, with https.")
    place = host if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    return RelyingParty(host, f"{parts.scheme}://{place}")


def registration_options(
    rp_id: str, rp_name: str, user_id: bytes, username: str, exclude: Sequence[bytes], challenge: bytes
) -> str:
    """The JSON for ``navigator.credentials.create``.

    ``user_id`` is 1 to 64 bytes that say nothing of the person; ``exclude`` the ids of the passkeys they have.
    """
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers import structs

    return options_to_json(
        generate_registration_options(
            rp_id=rp_id,
            rp_name=rp_name,
            user_id=user_id,
            user_name=username,
            challenge=challenge,
            timeout=CHALLENGE_SECONDS * 1000,
            attestation=structs.AttestationConveyancePreference.NONE,
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.PREFERRED,
                user_verification=structs.UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=known) for known in exclude],
        )
    )


def authentication_options(rp_id: str, challenge: bytes, allow: Sequence[bytes] = ()) -> str:
    """The JSON for ``navigator.credentials.get``; without ``allow`` the device offers what it has for this server."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers import structs

    return options_to_json(
        generate_authentication_options(
            rp_id=rp_id,
            challenge=challenge,
            timeout=CHALLENGE_SECONDS * 1000,
            allow_credentials=[structs.PublicKeyCredentialDescriptor(id=known) for known in allow],
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        )
    )


def verify_registration(response_json: str, challenge: bytes, rp_id: str, origin: str) -> Registered:
    """The new passkey of a browser's answer to ``registration_options``. Raises InvalidRequest."""
    from webauthn import verify_registration_response
    from webauthn.helpers import (
        decode_credential_public_key,
        decoded_public_key_to_cryptography,
        parse_registration_credential_json,
    )

    answer = _read(response_json)
    try:
        credential = parse_registration_credential_json(answer)
        response = credential.response
        fault = _fault_of_client(response.client_data_json, challenge, origin)
        if fault:
            raise InvalidRequest(f"The passkey was not registered: {fault}")
        response.attestation_object = _without_statement(response.attestation_object)
        made = verify_registration_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=rp_id, expected_origin=origin,
            require_user_verification=True,
        )  # fmt: skip
        if len(made.credential_id) > LONGEST_ID_BYTES or len(made.credential_public_key) > _LONGEST_KEY_BYTES:
            raise ValueError("id or public key is too long")
        decoded_public_key_to_cryptography(decode_credential_public_key(made.credential_public_key))
    except _unsound() as error:
        raise InvalidRequest(
            "The passkey was not registered: the device's answer is not sound, or the device did not verify who you "
            "are; try again, or use another device."
        ) from error
    synced = made.credential_device_type.value == "multi_device"
    return Registered(made.credential_id, made.credential_public_key, made.sign_count, synced)


def verify_authentication(
    response_json: str, challenge: bytes, rp_id: str, origin: str, public_key: bytes, sign_count: int
) -> Used:
    """Whether a browser's answer to ``authentication_options`` is that of the passkey with this key and counter.

    Raises InvalidRequest where it has not the form of an answer, NotAuthenticated where it is not good.
    """
    from webauthn import verify_authentication_response
    from webauthn.helpers import parse_authentication_credential_json

    answer = _read(response_json)
    try:
        credential = parse_authentication_credential_json(answer)
        fault = _fault_of_client(credential.response.client_data_json, challenge, origin)
        if fault:
            raise NotAuthenticated(f"The passkey was not accepted: {fault}")
        # The counter is compared below: only one that is signed tells anything.
        used = verify_authentication_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=rp_id, expected_origin=origin,
            credential_public_key=public_key, credential_current_sign_count=0, require_user_verification=True,
        )  # fmt: skip
    except _unsound() as error:
        raise NotAuthenticated(
            "The passkey was not accepted: it is not the one registered here, or the device did not verify who you "
            "are; try again, or sign in another way."
        ) from error
    if 0 < sign_count >= used.new_sign_count:
        raise NotAuthenticated(
            f"The passkey was not accepted: its counter went from {sign_count} to {used.new_sign_count}, so there may "
            "be a copy of it; sign in another way, remove it and register a new one."
        )
    return Used(used.credential_id, used.new_sign_count, credential.response.user_handle)


def credential_id_of(response_json: str) -> bytes:
    """The id of the passkey that an answer names, to find its row by. Raises InvalidRequest."""
    from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

    text = _read(response_json).get("id")
    try:
        named = base64url_to_bytes(text) if isinstance(text, str) else b""
    except ValueError:
        named = b""
    if not 0 < len(named) <= LONGEST_ID_BYTES or bytes_to_base64url(named) != text:
        raise InvalidRequest("The passkey's answer names no passkey; load the page again and try once more.")
    return named


def _read(response_json: str) -> dict[str, Any]:
    """The answer as an object, whatever is in it."""
    if not response_json:
        raise InvalidRequest("There is no answer of a passkey; it needs a browser that runs this page's script.")
    if len(response_json) > LONGEST_ANSWER:
        raise InvalidRequest(f"The passkey's answer has more than {LONGEST_ANSWER:,} characters; use another device.")
    try:
        answer = json.loads(response_json)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise InvalidRequest("The passkey's answer is not a JSON object; load the page again and try once more.")
    return answer


def _fault_of_client(client_data_json: bytes, challenge: bytes, origin: str) -> str:
    """What is wrong with the page that an answer was made on, in words; the library only names it."""
    from webauthn.helpers import parse_client_data_json

    client = parse_client_data_json(client_data_json)
    if client.challenge != challenge:
        return "it answers another request than the last one; load the page again and try once more."
    if client.origin != origin:
        return (
            f"it was used at {shown(client.origin, 200)}, and this server is {origin}; open that address, or have "
            "base_url set to the one that people open."
        )
    if client.cross_origin:
        return "it was used in a frame of another site; open this server in a window of its own."
    return ""


def _without_statement(attestation_object: bytes) -> bytes:
    """The attestation object with the statement "none", as browsers make it where none is asked for.

    Statements of other formats carry certificates, and reading them would serve nobody.
    """
    from webauthn.helpers import encode_cbor, parse_cbor

    stated = parse_cbor(attestation_object)
    # The library makes bytes of what stands here: of a number, as many zeros.
    if not isinstance(stated, dict) or not isinstance(stated.get("authData"), bytes):
        raise ValueError("no authenticator data")  # noqa: TRY004 - the caller takes it for what was sent
    return encode_cbor({"fmt": "none", "attStmt": {}, "authData": stated["authData"]})


def _unsound() -> tuple[type[Exception], ...]:
    """What the library raises for answers that are not good: its own, and Python's for values of the wrong kind."""
    from webauthn.helpers.exceptions import WebAuthnException

    return WebAuthnException, ValueError, TypeError, LookupError, RecursionError


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
