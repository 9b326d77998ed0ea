"""The base parts' tasks: rows are packed with their pictures in place, tags are words, eyes are drawn to tags."""

import random
from dataclasses import replace

import pytest
import torch
from tiny_model import make_config

from minigpt5.checkpoint.build import build
from minigpt5.data.storybook.world.attributes import values_of
from minigpt5.data.storybook.world.scene import Figure, Scene, Thing
from minigpt5.data.storybook.worlds import SHIPPED, WIDE
from minigpt5.training.eyes import Tagger, TagTask
from minigpt5.training.losses import IGNORED
from minigpt5.training.tags import Tags
from minigpt5.training.words import LanguageTask, Reader
from minigpt5.vokens import voken_names

SCENE = Scene(
    (Figure("cat", "pink", "jumping", "left", "sad", "hat"),),
    "forest",
    "night",
    "snow",
    (Thing("kite", "beside", "red"),),
)


@pytest.fixture(params=[SHIPPED, WIDE], ids=["shipped", "wide"])
def task(tokenizer, request):
    torch.manual_seed(0)
    model = build(make_config(len(tokenizer)))
    return LanguageTask(Reader(model.language, request.param), tokenizer, request.param, row=640)


def learn(task, batch, steps):
    """The losses on `batch` before and after some steps on it."""
    optimizer = torch.optim.AdamW(task.module.parameters(), 1e-2)
    before = task.losses(batch)
    for _ in range(steps):
        optimizer.zero_grad()
        task.losses(batch)["loss"].backward()
        optimizer.step()
    return before, task.losses(batch)


def test_a_scene_is_one_tag_for_every_attribute(tokenizer):
    tags = Tags(tokenizer, WIDE)
    names = [value for classes in WIDE.attributes.values() for value in classes]
    said = dict(zip(WIDE.attributes, (names[row] for row in tags.rows(SCENE)), strict=True))
    assert said == values_of(SCENE)
    assert (said["figure"], said["mood"], said["wear"], said["beside"], said["beside_colour"]) == (
        "cat",
        "sad",
        "hat",
        "kite",
        "red",
    )


def test_a_tag_is_the_mean_of_its_tokens(tokenizer):
    weight = torch.randn(len(tokenizer), 8)
    tags = Tags(tokenizer, WIDE)
    ids = tokenizer.encode("cat", add_special_tokens=False)
    torch.testing.assert_close(tags.embed(weight)[tags.rows(SCENE)[1]], weight[ids].mean(0))


def test_a_row_has_a_tag_at_every_slot_of_a_seen_picture_and_nowhere_else(task):
    row = next(task.batches(16, 0))
    assert ((row.tags >= 0) == (row.ids == task.placeholder)).all()
    assert (row.tags >= 0).any()


def test_a_picture_of_the_history_is_begun_with_a_voken_if_the_assistant_drew_it_and_else_not_said(task):
    row = next(task.batches(16, 0))
    slots = row.tags >= 0
    assert (row.targets[slots] == IGNORED).all()
    begins = (slots[:, 1:] & ~slots[:, :-1]).nonzero().tolist()  # the last token of `<Img>`
    said = [
        row.targets[place[0], place[1] + 1 - task.opening].item()
        for place in begins
        if place[1] >= task.opening
    ]
    assert set(said) <= {task.vokens[0], IGNORED}
    assert task.vokens[0] in said


def test_what_is_said_is_what_stands_there_but_for_the_beginnings_of_pictures(task):
    row = next(task.batches(16, 0))
    said = row.targets != IGNORED
    other = said & (row.targets != row.ids)
    assert (row.targets[other] == task.vokens[0]).all()
    assert said.float().mean() > 0.2


def test_users_words_are_learned_in_a_part_of_the_dialogues_alone(task):
    rng = random.Random(0)
    documents = [task._document(rng) for _ in range(200)]
    asked = [d for d in documents if "###Human:" in task.tokenizer.decode(d.ids)]
    heads = [
        d.targets[d.ids.index(task.tokenizer.encode("Human", add_special_tokens=False)[0]) + 2] for d in asked
    ]
    assert 0.02 < sum(head != IGNORED for head in heads) / len(heads) < 0.4


def test_the_pictures_to_draw_are_where_the_vokens_begin(task):
    row = next(task.batches(16, 0))
    places = row.drawn[:, 1:] + torch.arange(len(voken_names()))
    assert row.ids[row.drawn[:, :1], places].tolist() == [task.vokens] * len(row.drawn)
    assert row.labels.shape == (len(row.drawn), task.tags.count)


def test_rows_without_a_picture_to_draw_still_teach_words(task):
    row = next(task.batches(2, 0))
    bare = replace(row, drawn=row.drawn[:0], labels=row.labels[:0])
    assert torch.isfinite(task.losses(bare)["loss"])


def test_rows_repeat_and_differ(task):
    first, second = (next(task.batches(2, step)) for step in (0, 1))
    assert torch.equal(first.ids, next(task.batches(2, 0)).ids)
    assert not torch.equal(first.ids, second.ids)


def test_the_words_learn_next_tokens_and_what_vokens_mean(task):
    before, after = learn(task, next(task.batches(4, 0)), 15)
    assert after["text_loss"] < 0.8 * before["text_loss"]
    assert after["accuracy"] > before["accuracy"]


def test_the_eyes_come_to_say_the_tags(tokenizer):
    torch.manual_seed(0)
    model = build(replace(make_config(len(tokenizer)), num_query_tokens=len(WIDE.attributes)))
    tags = Tags(tokenizer, WIDE).embed(model.language.llama.get_input_embeddings().weight.detach())
    task = TagTask(Tagger(model.vision, tags, WIDE), 32, WIDE)
    before, after = learn(task, next(task.batches(8, 0)), 40)
    assert after["distance"] < 0.5 * before["distance"]
    assert after["accuracy"] > before["accuracy"]


def test_the_right_tags_have_the_highest_logits(tokenizer):
    model = build(replace(make_config(len(tokenizer)), num_query_tokens=len(WIDE.attributes)))
    tags = Tags(tokenizer, WIDE)
    table = torch.randn(sum(tags.sizes), 16)
    tagger = Tagger(model.vision, table, WIDE)
    scene = WIDE.training_scene(random.Random(0), None)
    said = table[tags.rows(scene)][None]  # eyes that see everything
    named = [int(logits.argmax()) for logits in tagger.compare(said)]
    assert named == WIDE.labels_of(scene)


def test_eyes_with_another_number_of_queries_are_refused(tokenizer):
    model = build(make_config(len(tokenizer)))
    with pytest.raises(ValueError, match="got 4, expected 28"):
        Tagger(model.vision, torch.zeros(90, 16), WIDE)
