"""An editor's eye for drafts: who is who, who is new, and who has changed."""

import pytest

from demo.story.writing.cast import Member, christen, faults, names, read_cast

TOLD = ["Once upon a time there was a purple cat named Mia. She lived in the forest."]


def count(
    draft: str, *, told: list[str] = TOLD, known: str = "", members: int = 0, last: bool = False
) -> int:
    return faults(draft, told, known, members=members, last=last)


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("Pip the blue rabbit, a green frog named Luna", [("blue rabbit", "Pip"), ("green frog", "Luna")]),
        ("a yellow owl and a pink mouse", [("yellow owl", ""), ("pink mouse", "")]),
        ("Pip: blue rabbit; an owl", [("blue rabbit", "Pip"), ("owl", "")]),
        ("  ", []),
    ],
)
def test_a_cast_is_read_as_people_write_it(text: str, members: list[tuple[str, str]]) -> None:
    assert [(member.looks, member.name) for member in read_cast(text)] == members


def test_a_member_is_asked_for_with_the_right_article() -> None:
    assert str(Member("orange cat", "Pip")) == "an orange cat named Pip"


def test_names_are_told_from_the_words_that_begin_sentences() -> None:
    text = 'One day Toby went out. "Hello!" said Mia\'s friend. Whoosh! Luna saw it. The end.'
    assert names(text) == ["Toby", "Mia", "Luna"]


def test_a_draft_that_stays_with_the_story_has_no_faults() -> None:
    assert count("The purple cat ran to the beach. There Mia found a red kite.") == 0


@pytest.mark.parametrize(
    ("draft", "fault"),
    [
        ("Toby waved at the moon.", "a stranger"),
        ("The purple rabbit jumped for joy.", "another animal"),
        ("Then he waved.", "another gender"),
        ("She lived in the forest.", "told before"),
        ("Night came, and she slept. The end.", "too early an ending"),
    ],
)
def test_each_way_of_losing_the_thread_is_a_fault(draft: str, fault: str) -> None:
    assert count(draft) > 0, fault


def test_a_new_friend_who_is_introduced_is_welcome() -> None:
    assert count("She met Luna, a green frog.") == 0


def test_the_last_scene_may_end_the_story() -> None:
    assert count("Night came, and she slept. The end.", last=True) == 0


def test_a_story_in_another_language_has_no_faults() -> None:
    assert count("青いうさぎは雪を見た。", told=["青いうさぎがいました。"]) == 0


def test_the_author_names_who_the_model_introduces() -> None:
    cast = read_cast("Pip the blue rabbit, Mia the green frog")
    opening = christen("There once was a blue rabbit called Tilly. Tilly waved.", [], cast)
    assert opening == "There once was a blue rabbit called Pip. Pip waved."
    later = christen("Then Pip met Otto, a green frog.", [opening], cast)
    assert later == "Then Pip met Mia, a green frog."
    assert christen("The rabbit went to London.", [opening, later], cast) == "The rabbit went to London."
