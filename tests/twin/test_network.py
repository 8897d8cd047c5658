from __future__ import annotations

from twin.network import Network, node_address


def test_entering_an_end_goes_by_its_holders_pid() -> None:
    network = Network("namespaces", {"inet": 11, "cloud": 12, "home": 13})
    assert network.at("home", "ip", "addr") == (
        *("nsenter", "--target=13", "--net", "--", "ip", "addr"),
    )
    assert network.address("home") == "10.99.0.4"


def test_an_ordinary_user_enters_the_user_namespace_first() -> None:
    network = Network("user-namespaces", {"inet": 11, "cloud": 12, "home": 13})
    assert network.at("cloud", "true") == (
        *("nsenter", "--target=12", "--user", "--preserve-credentials", "--net", "--", "true"),
    )


def test_on_a_flat_network_every_end_is_this_machines_loopback() -> None:
    network = Network("flat", {})
    assert network.at("inet", "true") == ("true",)
    assert {network.address(end) for end in ("inet", "cloud", "home")} == {"127.0.0.1"}


def test_homes_pods_are_not_at_an_address_that_the_lan_gives() -> None:
    network = Network("namespaces", {"inet": 11, "cloud": 12, "home": 13})
    assert node_address(network) == "10.42.0.1"
    assert network.address("home") == "10.99.0.4"
