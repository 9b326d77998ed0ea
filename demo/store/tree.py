"""The tree of a chat's messages and the one path through it that is shown. It only ever grows.

`ChatStore.load` makes one, a session holds it, the handlers of chat and picture change it. Knows no database.
"""

from collections.abc import Iterable

from demo.store.records import Node


class Tree:
    """Messages by id, oldest first, and `leaf`, the last message of the path that is shown (None: nothing yet).

    At every fork the tree remembers which branch was shown last, so that flipping there and back changes nothing.
    """

    def __init__(self, nodes: Iterable[Node] = (), leaf: str | None = None) -> None:
        self._nodes = {node.id: node for node in nodes}
        self._shown = {node.parent: node.id for node in self._nodes.values()}  # the newest child of each
        self.leaf = leaf if leaf in self._nodes else self._end(None)
        for node in self.path():
            self._shown[node.parent] = node.id

    def __contains__(self, node_id: object) -> bool:
        return node_id in self._nodes

    def __len__(self) -> int:
        return len(self._nodes)

    def node(self, node_id: str) -> Node:
        """The message of that id; raises `KeyError`."""
        return self._nodes[node_id]

    def path(self) -> list[Node]:
        """The messages that are shown, from the first to the leaf."""
        return self.path_to(self.leaf)

    def path_to(self, node_id: str | None) -> list[Node]:
        """The messages from the first to `node_id`."""
        found = []
        while node_id is not None:
            node = self._nodes[node_id]
            found.append(node)
            node_id = node.parent
        return found[::-1]

    def versions(self, node_id: str) -> list[str]:
        """The ids of the message and its siblings, oldest first."""
        parent = self._nodes[node_id].parent
        return [node.id for node in self._nodes.values() if node.parent == parent]

    def put(self, node: Node) -> None:
        """Take in a message: a new one becomes the leaf, one of a known id takes the place of its former state."""
        if node.id not in self._nodes:
            self._shown[node.parent] = self.leaf = node.id
        self._nodes[node.id] = node

    def show(self, node_id: str) -> None:
        """Show the path that leads through that message and on, as it was shown last; raises `KeyError`."""
        for node in self.path_to(node_id):
            self._shown[node.parent] = node.id
        self.leaf = self._end(node_id)

    def _end(self, node_id: str | None) -> str | None:
        while node_id in self._shown:
            node_id = self._shown[node_id]
        return node_id
