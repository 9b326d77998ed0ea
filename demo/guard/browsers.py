"""Which browser is which: a cookie that no script reads, the sessions that it opened, and the owners that it proved
to be.

`gate` asks at every request; the chat's list and the story routes report proofs by `prove_owner`. Held in memory
alone.

A tab's `session_hash` stands in addresses and logs and comes from the browser's weakest random numbers, so it proves
nothing. It belongs to the browser that used it first. A program without cookies has none to prove itself by: its
sessions are open to others without cookies that know their names, and to nobody that has one.
"""

import hashlib
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

COOKIE = "minigpt5-browser"
MAX_BONDS = 20_000
MAX_BROWSERS = 20_000
MAX_OWNERS = 8  # of one browser: its secret changes when its storage is cleared
YEAR = 365 * 24 * 3600
SCOPE = "minigpt5.visitor"
_VALUE = re.compile(rf"(?:^|;)\s*{COOKIE}=([0-9a-f]{{32}})\s*(?:;|$)")


@dataclass
class Bond:
    """A session's browser; `kept` says whether the cookie that it was given first came back."""

    browser: str
    kept: bool


@dataclass(frozen=True)
class Visitor:
    """Who sent a request: `browser` is the hash of the cookie, "" without one; `fresh` is the cookie to be set."""

    browser: str
    fresh: str
    browsers: "Browsers"

    def owns(self, owner: str) -> None:
        """This browser has proved that it is that owner."""
        self.browsers.note_owner(self.browser or digest(self.fresh), owner)

    @property
    def owners(self) -> frozenset[str]:
        """Whom this browser has proved to be."""
        return self.browsers.owners(self.browser)


class Browsers:
    """The sessions and the owners of all browsers. `alive` tells whether Gradio still holds anything of a session."""

    def __init__(self, alive: Callable[[str], bool]) -> None:
        self._alive = alive
        self._bonds: dict[str, Bond] = {}
        self._owners: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._room = MAX_BONDS
        self._lock = threading.Lock()

    def visitor(self, cookie_headers: Iterable[str]) -> Visitor:
        """Who sends a request with these `Cookie` headers."""
        for header in cookie_headers:
            if found := _VALUE.search(header):
                return Visitor(digest(found[1]), "", self)
        return Visitor("", secrets.token_hex(16), self)

    def admit(self, visitor: Visitor, session: str) -> tuple[bool, bool]:
        """(whether `visitor` may use `session`, whether it is the first to do so)."""
        with self._lock:
            bond = self._bonds.get(session)
            if bond is None:
                self._make_room()
                self._bonds[session] = Bond(visitor.browser or digest(visitor.fresh), bool(visitor.browser))
                return True, True
            if not visitor.browser:
                return not bond.kept, False
            if visitor.browser != bond.browser:
                return False, False
            bond.kept = True
            return True, False

    def note_owner(self, browser: str, owner: str) -> None:
        """`browser` has proved that it is `owner`."""
        with self._lock:
            known = [other for other in self._owners.pop(browser, ()) if other != owner]
            self._owners[browser] = (*known, owner)[-MAX_OWNERS:]
            while len(self._owners) > MAX_BROWSERS:
                self._owners.popitem(last=False)

    def owners(self, browser: str) -> frozenset[str]:
        """Whom `browser` has proved to be."""
        with self._lock:
            if browser in self._owners:
                self._owners.move_to_end(browser)
            return frozenset(self._owners.get(browser, ()))

    def _make_room(self) -> None:
        """Forget sessions of which nothing is left to protect; those that Gradio holds stay, however many."""
        if len(self._bonds) >= self._room:
            self._bonds = {name: bond for name, bond in self._bonds.items() if self._alive(name)}
            self._room = max(MAX_BONDS, 2 * len(self._bonds))


def digest(cookie: str) -> str:
    """The form in which cookies are kept."""
    return hashlib.sha256(cookie.encode()).hexdigest()


def set_cookie(value: str, *, secure: bool, framed: bool) -> str:
    """The header that gives a browser its cookie; a page in a foreign frame has one of its own for each such page."""
    kind = "SameSite=None; Secure; Partitioned" if framed and secure else "SameSite=Lax"
    safe = "; Secure" if secure and not framed else ""
    return f"{COOKIE}={value}; Path=/; Max-Age={YEAR}; HttpOnly; {kind}{safe}"


def prove_owner(scope: Any, owner: str) -> None:
    """The browser that sent the request of `scope` has shown the secret of `owner`."""
    visitor = scope.get(SCOPE)
    if isinstance(visitor, Visitor):
        visitor.owns(owner)
