"""Which addresses are asked, and that a connection goes to the address that was checked."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator, Sequence

import pytest

import outbound

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.9", "192.168.1.1", "100.64.0.1", "0.0.0.0", "255.255.255.255", "240.0.0.1",
    "169.254.169.254", "168.63.129.16", "100.100.100.200", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fec0::1",
    "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b:1::1", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1",
]  # fmt: skip
NEVER = ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "::", "fd00:ec2::254"]


@pytest.mark.parametrize("text", PRIVATE)
def test_no_private_address_is_public(text: str) -> None:
    """S133: neither as it is nor wrapped into IPv6 in any of the ways that there are."""
    assert not outbound.is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", ["1.1.1.1", "151.101.0.223", "2a04:4e42::223", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_the_open_internet_is_public(text: str) -> None:
    """Also through the wrappings of networks that have IPv6 only."""
    assert outbound.is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", NEVER)
def test_where_clouds_keep_their_secrets_is_never_asked(text: str) -> None:
    """Not even where private addresses are allowed."""
    assert outbound.is_never_asked(ipaddress.ip_address(text))
    with pytest.raises(outbound.ForbiddenAddress):
        outbound.connect(text, 80, allow_private=True, seconds=1)


@pytest.mark.parametrize("text", ["0x7f.1", "2130706433", "0177.0.0.1", "127.1", "0x7f000001", "127.0.0.1."])
def test_addresses_in_odd_spellings_are_known_as_such(text: str) -> None:
    """S133: some programs read these as 127.0.0.1, so they are no names."""
    assert outbound.is_odd_number(text)
    assert not outbound.is_odd_number("127.0.0.1")
    assert not outbound.is_odd_number("0x7f.example.com")


@pytest.mark.parametrize("text", ["localhost", "LOCALHOST.", "pypi", "build.internal", "printer.local", "a.localhost"])
def test_names_that_never_lead_out_are_known(text: str) -> None:
    """A name without a dot is one of this network."""
    assert outbound.is_local_name(text)
    assert not outbound.is_local_name("index.example.com")
    assert not outbound.is_local_name("127.0.0.1")


@pytest.fixture
def listening() -> Iterator[int]:
    """A port of 127.0.0.1 on which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


class Resolver:
    """Answers each question with the next of these lists of addresses, and counts."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int) -> Sequence[outbound.Address]:
        """The next answer."""
        self.asked += 1
        return [ipaddress.ip_address(text) for text in self.answers.pop(0)]


def test_a_name_that_leads_inside_is_not_connected_to(listening: int) -> None:
    """S133: what the name is called does not matter."""
    with pytest.raises(outbound.ForbiddenAddress, match=r"index\.example\.com leads to no address"):
        outbound.connect(
            "index.example.com", listening, allow_private=False, seconds=1, resolver=Resolver(["127.0.0.1", "::1"])
        )


def test_a_name_is_looked_up_once_and_the_connection_goes_where_it_was_checked(listening: int) -> None:
    """DNS that answers otherwise the second time is not asked a second time."""
    resolver = Resolver(["127.0.0.1"], ["169.254.169.254"])
    with outbound.connect(
        "index.example.com", listening, allow_private=True, seconds=1, resolver=resolver
    ) as connected:
        assert connected.getpeername() == ("127.0.0.1", listening)
    assert resolver.asked == 1


def test_of_several_addresses_only_the_allowed_ones_are_tried(listening: int) -> None:
    """A name with a public and a private address is taken at its public one."""
    resolver = Resolver(["169.254.169.254", "127.0.0.1"])
    with outbound.connect("a.example.com", listening, allow_private=True, seconds=1, resolver=resolver) as connected:
        assert connected.getpeername()[0] == "127.0.0.1"


def test_where_nobody_listens_is_an_error_of_the_system() -> None:
    """The last failure is the one that is told."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        outbound.connect("127.0.0.1", port, allow_private=True, seconds=1)
