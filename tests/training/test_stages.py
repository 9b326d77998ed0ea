"""What a stage says is trained is trained, and nothing else moves."""

import random

import pytest
import torch
from tiny_model import make_config
from transformers import CLIPTextConfig, CLIPTextModel

from minigpt5.checkpoint.build import build
from minigpt5.conversation import ImagePart, Message, TextPart
from minigpt5.data.storybook.scene import Character, Scene
from minigpt5.data.storybook.worlds import SHIPPED as WORLD
from minigpt5.prompt import encode
from minigpt5.training.multimodal import StageTask, Teacher
from minigpt5.training.pictures import TokenizeCaptions
from minigpt5.training.rows import fold_rows, train_rows
from minigpt5.training.scenes import SceneSource
from minigpt5.training.stages import EYES, MLS, UAS, Stage

SCENE = Scene((Character("rabbit", "blue"),))


def make_task(stage, tokenizer, picture_in_question=True):
    torch.manual_seed(0)
    config = make_config(len(tokenizer))
    model = build(config)
    if stage.lora:
        model.language.add_lora(config.lora)
    question = (ImagePart(SCENE), TextPart("more")) if picture_in_question else (TextPart("more"),)
    target = (TextPart("Here"),) if stage is EYES else (TextPart("Here"), ImagePart(SCENE), TextPart("it is"))

    def sampler(rng: random.Random):
        return encode((Message("user", question), Message("assistant", target)), tokenizer, target=True)

    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
            num_attention_heads=2, max_position_embeddings=77, bos_token_id=1, eos_token_id=2, pad_token_id=0,
        )
    )  # fmt: skip
    teacher = Teacher(text_encoder.requires_grad_(False), TokenizeCaptions(tokenizer, 77, 1, 2, 0))
    source = SceneSource(sampler, stage.name, config.image_size, config.image_size, WORLD)
    task = StageTask(model, stage, tokenizer, source, teacher if stage.caption_weight else None)
    return task, model


def train_steps(task, model, steps=3):
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, 1e-2, weight_decay=0.0)
    batches = task.batches(4, 0)
    for _ in range(steps):  # LoRA's A moves only once B has
        optimizer.zero_grad()
        task.losses(next(batches))["loss"].backward()
        optimizer.step()
    return {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}


@pytest.mark.parametrize("stage", [EYES, UAS, MLS], ids=lambda stage: stage.name)
def test_every_trainable_parameter_changes_and_every_frozen_one_does_not(stage: Stage, tokenizer):
    task, model = make_task(stage, tokenizer)
    changed = train_steps(task, model)
    # the Q-Former's and ViT's poolers and the text branch take no part in a forward pass
    unused = {n for n, p in model.named_parameters() if p.requires_grad and p.grad is None}
    trainable = {n for n, p in model.named_parameters() if p.requires_grad}
    assert changed == trainable - unused
    assert len(unused) <= len(trainable) / 4


def test_the_two_stages_of_the_paper_train_the_parts_that_it_names(tokenizer):
    for stage, wanted, unwanted in (
        (UAS, ("mapper.proj", "mapper.queries", "mapper.transformer"), ("lora_",)),
        (MLS, ("mapper.transformer", "lora_A", "lora_B"), ("mapper.proj", "mapper.queries")),
    ):
        _, model = make_task(stage, tokenizer)
        names = [n for n, p in model.named_parameters() if p.requires_grad]
        assert all(any(part in name for name in names) for part in wanted)
        assert not any(part in name for name in names for part in (*unwanted, "vision.", "diffusion."))


def test_only_the_rows_of_the_control_tokens_move_in_the_embeddings(tokenizer):
    task, model = make_task(UAS, tokenizer, picture_in_question=False)
    llama = model.language.llama
    before = [m.base.weight.clone() for m in (llama.get_input_embeddings(), llama.lm_head)]
    train_steps(task, model, steps=1)
    fold_rows(model.language)
    for module, old in zip((llama.get_input_embeddings(), llama.lm_head), before, strict=True):
        moved = (module.weight != old).any(dim=1).nonzero().flatten().tolist()
        assert moved and min(moved) >= tokenizer.convert_tokens_to_ids("[IMG0]")


def test_a_model_whose_rows_are_trained_apart_computes_the_same(tokenizer):
    torch.manual_seed(0)
    language = build(make_config(len(tokenizer))).language
    ids = torch.tensor([[1, 5, len(tokenizer) - 3, 7, len(tokenizer) - 1]])
    before = language.logits(language(language.embed(ids))[0])
    train_rows(language, [len(tokenizer) - 3, len(tokenizer) - 1])
    torch.testing.assert_close(language.logits(language(language.embed(ids))[0]), before)
    fold_rows(language)
    torch.testing.assert_close(language.logits(language(language.embed(ids))[0]), before)


def test_a_dropped_group_of_vokens_is_the_null_conditioning(tokenizer):
    stage = Stage("all dropped", ("mapper.",), dropped_share=1.0)
    task, model = make_task(stage, tokenizer)
    batch = next(task.batches(2, 0))
    embeds = task._prompt_embeds(task._hidden(batch), batch)
    torch.testing.assert_close(embeds, model.mapper.null_embeds().expand_as(embeds))


def test_batches_depend_on_their_number_alone(tokenizer):
    task, _ = make_task(UAS, tokenizer)
    batches = task.batches(2, 0)
    next(batches)
    torch.testing.assert_close(next(batches).targets, next(task.batches(2, 1)).targets)
