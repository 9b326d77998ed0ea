"""The mapper on states that were computed once: the right states, and nothing but the mapper moves."""

import random

import pytest
import torch
from test_stages import make_task
from tiny_model import make_config

from minigpt5.checkpoint.build import build
from minigpt5.conversation import ImagePart, Message, TextPart
from minigpt5.data.storybook.captions import caption
from minigpt5.data.storybook.scene import Character, Scene
from minigpt5.data.storybook.worlds import SHIPPED
from minigpt5.prompt import encode
from minigpt5.training.mapper import MapperTask, precompute_states, states_of
from minigpt5.training.stages import UAS

SCENES = [Scene((Character(animal, "blue"),)) for animal in ("cat", "owl", "elephant")]


def sampler_of(tokenizer):
    def draw(rng: random.Random):
        seen, drawn = rng.choice(SCENES), rng.choice(SCENES)
        question = (ImagePart(seen), TextPart("more " * rng.randint(1, 4)))
        return encode(
            (Message("user", question), Message("assistant", (ImagePart(drawn),))), tokenizer, target=True
        )

    return draw


@pytest.fixture
def model(tokenizer):
    torch.manual_seed(0)
    return build(make_config(len(tokenizer))).requires_grad_(False).eval()


def test_a_batch_of_unlike_lengths_has_the_states_of_each_alone(model, tokenizer):
    examples = [sampler_of(tokenizer)(random.Random(seed)) for seed in range(3)]
    together = states_of(model, tokenizer, examples[:1] * 2 + examples[1:2], SHIPPED, 0)
    alone = states_of(model, tokenizer, examples[:1], SHIPPED, 0)
    assert together.shape[1] == 8
    assert torch.allclose(together[:1], alone, atol=1e-5)


def test_states_are_kept_beside_the_captions_of_what_is_drawn(model, tokenizer, tmp_path):
    path = tmp_path / "states.pt"
    states = precompute_states(model, tokenizer, sampler_of(tokenizer), SHIPPED, path, 64, chunk=64)
    assert len(states.captions) == len(states.hidden) == 64
    assert set(states.captions) <= {caption(scene) for scene in SCENES}
    again = precompute_states(model, tokenizer, sampler_of(tokenizer), SHIPPED, path, 64, chunk=64)
    assert torch.equal(again.hidden, states.hidden)
    assert again.captions == states.captions


def test_the_whole_mapper_learns_and_nothing_else(tokenizer, model, tmp_path):
    task, _ = make_task(UAS, tokenizer)
    states = precompute_states(
        model, tokenizer, sampler_of(tokenizer), SHIPPED, tmp_path / "states.pt", 64, chunk=64
    )
    mapper = MapperTask(model.mapper.requires_grad_(True), states, task.teacher)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 1e-2)
    batches, losses = mapper.batches(16, 0), []
    for _ in range(20):
        optimizer.zero_grad()
        losses.append(mapper.losses(next(batches))["loss"])
        losses[-1].backward()
        optimizer.step()
    changed = {
        name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])
    }
    assert changed == {name for name in before if name.startswith("mapper.")}
    assert losses[-1] < losses[0]


def test_some_states_are_dropped_with_their_caption(model, tokenizer, tmp_path):
    task, _ = make_task(UAS, tokenizer)
    states = precompute_states(
        model, tokenizer, sampler_of(tokenizer), SHIPPED, tmp_path / "states.pt", 64, chunk=64
    )
    hidden, ids = next(MapperTask(model.mapper, states, task.teacher).batches(64, 0))
    empty = torch.tensor([1, 2, *[0] * (ids.shape[1] - 2)])
    dropped = (hidden == 0).flatten(1).all(1)
    assert 0 < dropped.sum() < 20
    assert torch.equal((ids == empty).all(1), dropped)
