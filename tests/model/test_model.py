"""The four boxes, at tiny size."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from minigpt5.checkpoint.build import build
from minigpt5.config import FastConfig, ModelConfig
from minigpt5.errors import PromptError
from minigpt5.model.diffusion import make_scheduler
from minigpt5.model.language import LanguageModel
from minigpt5.model.vision import VisionTower


def denoise(model, scale=3.0, steps=3, scheduler="dpmsolver++", batch=1):
    diffusion = model.diffusion
    embeds = model.mapper(torch.randn(batch, 8, 64, generator=torch.Generator().manual_seed(1)))
    latents = diffusion.initial_latents(torch.Generator().manual_seed(2), batch)
    with torch.no_grad():
        return list(
            diffusion.denoise(
                embeds.detach(), model.mapper.null_embeds().detach(), guidance_scale=scale,
                num_inference_steps=steps, scheduler=scheduler, latents=latents,
            )
        )  # fmt: skip


def test_a_picture_gives_way_to_its_query_tokens_in_place(model):
    ids = torch.tensor([[1, 5, 9, 6, 9, 7]])
    embeds = model.embed(ids, torch.randn(2, 3, 32, 32), placeholder_id=9)
    assert embeds.shape == (1, 4 + 2 * 4, 64)
    torch.testing.assert_close(embeds[0, [0, 1, 6, 11]], model.language.embed(torch.tensor([1, 5, 6, 7])))


def test_more_pictures_than_placeholders_is_an_error_that_counts_them(model):
    with pytest.raises(PromptError, match="got 2 pictures for 1 placeholders"):
        model.embed(torch.tensor([[1, 9]]), torch.randn(2, 3, 32, 32), placeholder_id=9)


def test_the_mapper_makes_one_conditioning_vector_for_each_query(model):
    assert model.mapper(torch.randn(3, 8, 64)).shape == (3, 77, 16)
    assert model.mapper.null_embeds().shape == (1, 77, 16)


@pytest.mark.parametrize(
    ("scheduler", "steps"),
    [("dpmsolver++", 4), ("ddim", 4), ("pndm", 5), ("lcm", 4), ("tcd", 4), ("euler-trailing", 4)],
)
def test_each_scheduler_yields_latents_after_every_step(model, scheduler, steps):
    latents = denoise(model, steps=4, scheduler=scheduler)
    assert len(latents) == steps
    assert all(torch.isfinite(x).all() and x.shape == (1, 4, 8, 8) for x in latents)


def test_guidance_one_is_the_conditional_prediction_alone(model, monkeypatch):
    batches = []
    forward = model.diffusion.unet.forward
    monkeypatch.setattr(
        model.diffusion.unet,
        "forward",
        lambda x, *args, **kwargs: batches.append(len(x)) or forward(x, *args, **kwargs),
    )
    denoise(model, scale=1.0)
    denoise(model, scale=2.0)
    assert batches == [1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("scheduler", ["lcm", "tcd"])
def test_noise_between_the_steps_is_each_pictures_own(model, scheduler):
    def draw(*seeds: int) -> torch.Tensor:
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        latents = torch.cat([model.diffusion.initial_latents(generator) for generator in generators])
        embeds = torch.zeros(len(seeds), 77, 16)
        how = {"guidance_scale": 1.0, "num_inference_steps": 3, "scheduler": scheduler}
        *_, drawn = model.diffusion.denoise(embeds, embeds, **how, latents=latents, generators=generators)
        return drawn

    alone, together = draw(4), draw(3, 4)
    torch.testing.assert_close(together[1:], alone, rtol=1e-4, atol=1e-4)
    assert torch.equal(draw(4), alone)


def test_fast_draws_with_the_unet_of_the_few_steps_in_one_pass_a_step(config, model):
    diffusion = build(replace(config, fast=FastConfig(num_inference_steps=2))).diffusion
    passes = {"unet": 0, "unet_fast": 0}
    for name in passes:
        count = lambda _, inputs, name=name: passes.update({name: passes[name] + len(inputs[0])})  # noqa: E731
        getattr(diffusion, name).register_forward_pre_hook(count)
    model.diffusion = diffusion
    denoise(model, scale=1.0, steps=2, scheduler="fast")
    assert passes == {"unet": 0, "unet_fast": 2}
    denoise(model, scale=1.0, steps=2, scheduler="euler-trailing")
    assert passes == {"unet": 2, "unet_fast": 2}


def test_fast_may_be_the_only_unet(config, model):
    model.diffusion = build(replace(config, fast=FastConfig(own_unet=False))).diffusion
    assert model.diffusion.unet_of("fast") is model.diffusion.unet
    assert torch.equal(denoise(model, 1.0, 4, "fast")[-1], denoise(model, 1.0, 4, "euler-trailing")[-1])


def test_eulers_trailing_steps_begin_at_the_last_timestep(config):
    scheduler = make_scheduler("euler-trailing", config.scheduler)
    scheduler.set_timesteps(4)
    assert scheduler.timesteps.tolist() == [999, 749, 499, 249]


def test_pictures_of_a_batch_do_not_touch_each_other(model):
    one, many = denoise(model)[-1], denoise(model, batch=3)[-1]
    assert many.shape[0] == 3
    assert one.shape[0] == 1


def test_decoding_gives_pictures_of_the_configured_size(model):
    (picture,) = model.diffusion.decode(torch.randn(1, 4, 8, 8))
    assert picture.size == (32, 32)
    (preview,) = model.diffusion.preview(torch.randn(1, 4, 8, 8))
    assert preview.size == (8, 8)


def test_the_pipeline_of_diffusers_draws_the_same_picture(model):
    embeds, negative = torch.randn(1, 77, 16), model.mapper.null_embeds().detach()
    noise = model.diffusion.initial_latents(torch.Generator().manual_seed(0))
    how = {"guidance_scale": 3.0, "num_inference_steps": 3}
    *_, latents = model.diffusion.denoise(embeds, negative, **how, scheduler="ddim", latents=noise)
    pipeline = model.diffusion.to_pipeline("ddim")
    pipeline.set_progress_bar_config(disable=True)
    drawn = pipeline(prompt_embeds=embeds, negative_prompt_embeds=negative, latents=noise, **how)
    expected = model.diffusion.decode(latents)[0]
    difference = np.abs(np.asarray(drawn.images[0], float) - np.asarray(expected, float))
    assert difference.max() <= 1  # of 255: rounded in another place


def test_merged_adapters_say_what_the_adapters_said(model, config):
    language = model.language
    language.add_lora(config.lora)
    for name, parameter in language.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    embeds = torch.randn(1, 5, 64)
    language.eval()
    adapted, _ = language(embeds)
    language.merge_lora()
    merged, _ = language(embeds)
    torch.testing.assert_close(merged, adapted, rtol=1e-4, atol=1e-5)
    assert not any("lora" in name for name, _ in language.named_parameters())


def test_an_unknown_scheduler_is_named(config):
    with pytest.raises(ValueError, match="got 'euler'"):
        make_scheduler("euler", config.scheduler)


def test_a_table_of_positions_is_resized_for_pictures_of_another_size(config: ModelConfig) -> None:
    large = VisionTower({**config.vision, "image_size": 64}, config.qformer, 4, 64).eval()
    small = VisionTower(config.vision, config.qformer, 4, 64).eval()
    weights = large.state_dict()
    table = weights["vit.embeddings.position_embedding"]
    grid = table[:, 1:].reshape(1, 4, 4, -1).permute(0, 3, 1, 2)
    resized = torch.nn.functional.interpolate(grid, size=(2, 2), mode="bicubic", align_corners=False)
    resized = resized.permute(0, 2, 3, 1).reshape(1, 4, -1)
    small.load_state_dict(
        {**weights, "vit.embeddings.position_embedding": torch.cat([table[:, :1], resized], 1)}
    )
    pictures = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(large(pictures), small(pictures), atol=1e-6)


def test_a_prefix_precedes_every_sequence_and_is_counted_in_its_positions() -> None:
    sizes = {
        "vocab_size": 20,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    torch.manual_seed(0)
    language = LanguageModel(sizes, prefix_length=3).eval()
    torch.nn.init.normal_(language.prefix_keys)
    torch.nn.init.normal_(language.prefix_values)
    embeds = torch.randn(2, 6, 16)
    mask = torch.ones(2, 6, dtype=torch.long)
    with torch.no_grad():
        whole, _ = language(embeds, attention_mask=mask)
        begun, cache = language(embeds[:, :4], use_cache=True)
        ended, _ = language(embeds[:, 4:], past_key_values=cache, use_cache=True)
        counted, _ = language(embeds, position_ids=torch.arange(3, 9)[None])
        uncounted, _ = language(embeds, position_ids=torch.arange(6)[None])
    assert torch.allclose(torch.cat([begun, ended], 1), whole, atol=1e-5)
    assert torch.allclose(counted, whole, atol=1e-5)
    assert not torch.allclose(uncounted, whole, atol=1e-3)
