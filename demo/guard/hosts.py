"""Under which names the app answers, and from which other pages it may be asked. Called by `gate`; `app.py` sets the
names.

A page somewhere on the web can point its own name at this machine (DNS rebinding) or send requests across (CSRF). The
first needs a foreign name in `Host`, the second a foreign one in `Origin`; both are refused.
"""

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

ANY = "*"
LOCAL_NAMES = ("localhost", "localhost.localdomain")
EVERYWHERE = ("0.0.0.0", "::", "")


@dataclass(frozen=True)
class Hosts:
    """`names` are allowed beside loopback; ".example.org" stands for all names below it and `ANY` for every one.

    `network` allows this machine's other addresses too: no foreign page can have a bare address as its name.
    `proxied` allows every `Host` (not every `Origin`): a proxy that nobody can go around has verified it.
    """

    names: frozenset[str] = frozenset()
    network: bool = False
    proxied: bool = False

    def answers(self, host: str) -> bool:
        """Whether a request with that `Host` header is for this app."""
        name = name_of(host)
        if self.proxied or ANY in self.names:
            return True
        return bool(name) and (is_local(name) or self._listed(name) or (self.network and is_address(name)))

    def trusts(self, origin: str, host: str, fetch_site: str = "") -> bool:
        """Whether a request that a page of `origin` makes to `host` comes from this app's own page or a listed one.

        `fetch_site` is what the browser says of it (`Sec-Fetch-Site`), which no page can forge.
        """
        if ANY in self.names or fetch_site == "same-origin":
            return True
        name, own = name_of(urlsplit(origin).netloc), name_of(host)
        if not name:
            return False
        return name == own or self._listed(name) or (is_local(name) and is_local(own))

    def _listed(self, name: str) -> bool:
        return name in self.names or any(
            name.endswith(below) for below in self.names if below.startswith(".")
        )


def hosts_of(listening: str, allowed: Iterable[str] = (), *, proxied: bool = False) -> Hosts:
    """The names of an app that listens on the address `listening`, and those that its operator allows."""
    listening = listening.strip("[]").lower()
    names = {name.strip().lower().removeprefix("*" if name.strip() != ANY else "") for name in allowed}
    local = is_local(listening)
    if not local:
        own = socket.gethostname().lower()
        names |= {listening, own, f"{own}.local"} - set(EVERYWHERE)
    return Hosts(frozenset(names - {""}), network=not local, proxied=proxied)


def name_of(host: str) -> str:
    """The name in a `Host` header, without its port; "" for what is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".") if host.isascii() else ""
    except ValueError:
        return ""


def is_local(name: str) -> bool:
    """Whether only this machine has that name."""
    if name in LOCAL_NAMES or name.endswith(".localhost"):
        return True
    return is_address(name) and ipaddress.ip_address(name).is_loopback


def is_address(name: str) -> bool:
    """Whether `name` is an IP address and no name at all."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
