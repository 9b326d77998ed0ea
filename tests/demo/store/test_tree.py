"""A chat's messages fork and never go."""

from demo.store import Node, Tree, Words


def said(name: str, parent: str | None) -> Node:
    role = "user" if name.startswith("u") else "assistant"
    return Node(name, parent, role, (Words(name),))


def shown(tree: Tree) -> list[str]:
    return [node.id for node in tree.path()]


def forked() -> Tree:
    """u1 a1 u2 a2, and beside u2 an edited u3 a3."""
    tree = Tree()
    for name, parent in (("u1", None), ("a1", "u1"), ("u2", "a1"), ("a2", "u2"), ("u3", "a1"), ("a3", "u3")):
        tree.put(said(name, parent))
    return tree


def test_the_newest_message_is_the_end_of_the_path() -> None:
    tree = forked()
    assert shown(tree) == ["u1", "a1", "u3", "a3"]
    assert tree.versions("u3") == tree.versions("u2") == ["u2", "u3"]
    assert tree.versions("u1") == ["u1"]


def test_flipping_shows_the_other_branch_to_its_end_and_back() -> None:
    tree = forked()
    tree.show("u2")
    assert shown(tree) == ["u1", "a1", "u2", "a2"]
    tree.show("u3")
    assert shown(tree) == ["u1", "a1", "u3", "a3"]


def test_a_branch_is_shown_as_it_was_shown_last() -> None:
    tree = forked()
    tree.put(said("a4", "u3"))
    tree.show("a3")
    tree.show("u2")
    tree.show("u3")
    assert shown(tree)[-1] == "a3"


def test_the_first_message_has_versions_too() -> None:
    tree = forked()
    tree.put(said("u9", None))
    assert shown(tree) == ["u9"]
    assert tree.versions("u1") == ["u1", "u9"]
    tree.show("u1")
    assert shown(tree)[0] == "u1"


def test_a_message_that_grows_keeps_its_place() -> None:
    tree = forked()
    tree.show("a2")
    tree.put(Node("a3", "u3", "assistant", (Words("more"),)))
    assert tree.node("a3").text == "more"
    assert shown(tree)[-1] == "a2"


def test_a_tree_read_back_shows_the_path_that_was_shown() -> None:
    tree = forked()
    tree.show("u2")
    again = Tree([tree.node(name) for name in ("u1", "a1", "u2", "a2", "u3", "a3")], tree.leaf)
    assert shown(again) == shown(tree)
    assert shown(Tree()) == []
