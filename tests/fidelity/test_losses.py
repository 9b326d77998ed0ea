"""The training losses of the official code, from its own batches and its own recorded random draws."""

import pytest
import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler
from official_files import Expected, assert_equal
from torch import Tensor

from minigpt5.data.collate import Batch, collate
from minigpt5.generation.engine import Engine
from minigpt5.prompt import IGNORED, Encoded
from minigpt5.training.losses import caption_loss, image_loss, min_snr_weight, text_loss
from minigpt5.training.multimodal import StageBatch, StageTask
from minigpt5.training.stages import UAS
from minigpt5.vokens import IMAGE_PLACEHOLDER, VOKENS

CASES = [
    ("stage1", "loss_captions"),
    ("stage1", "loss_captions_drop_first"),
    ("stage1", "loss_vist_mixed"),
    ("stage2", "loss_vist_mixed"),
    ("stage2", "loss_mmdialog"),
    ("prefix", "loss_captions"),
    ("prefix", "loss_vist_mixed"),
]


def batch_of(engine: Engine, name: str, expected: Expected) -> tuple[Batch, Tensor | None]:
    """The official batch as ours, BOS put in front, and the pictures that its placeholders stand for."""
    placeholder, first = engine.tokenizer.convert_tokens_to_ids([IMAGE_PLACEHOLDER, VOKENS[0]])
    rows = zip(
        *(expected[f"{name}/in_{kind}"] for kind in ("input_ids", "labels", "attention_mask")), strict=True
    )
    examples, pictures = [], []
    for index, (ids, labels, mask) in enumerate(rows):
        seen = int(((ids == placeholder) & (mask == 1)).sum())
        pictures += list(expected[f"{name}/in_images_{index}"][:seen]) if seen else []
        kept = mask.bool()
        encoded = [engine.tokenizer.bos_token_id, *ids[kept].tolist()], [IGNORED, *labels[kept].tolist()]
        examples.append(Encoded(*encoded, (None,) * seen, (None,) * int((ids == first).sum())))
    queries = engine.model.vision.query_tokens.shape[1]
    batch = collate(examples, placeholder, first, queries, engine.tokenizer.eos_token_id)
    return batch, torch.stack(pictures) if pictures else None


def image_loss_of(engine: Engine, embeds: Tensor, name: str, expected: Expected) -> Tensor:
    """The diffusion loss for the recorded picture noise, noise and timesteps."""
    diffusion = engine.model.diffusion
    samples = [sample for sample, _ in expected.cases[name]["special_token_index"]]
    pixels = torch.stack([expected[f"{name}/in_output_image_{sample}"] for sample in samples])
    posterior = diffusion.vae.encode(pixels).latent_dist
    latents = posterior.mean + posterior.std * expected[f"{name}/vae_noise"]
    scheduler = DDPMScheduler.from_config(diffusion.scheduler_config)
    noise, timesteps = expected[f"{name}/noise"], expected[f"{name}/timesteps"]
    noisy = scheduler.add_noise(latents * diffusion.vae.config.scaling_factor, noise, timesteps)
    assert_equal(noisy, expected[f"{name}/noisy_latents"])
    predicted = diffusion.unet(noisy, timesteps, encoder_hidden_states=embeds).sample
    assert_equal(predicted, expected[f"{name}/unet_cond_pred"])
    return image_loss(predicted, noise, min_snr_weight(scheduler.alphas_cumprod, timesteps))


def caption_features(dropped: list[bool], name: str, expected: Expected) -> Tensor:
    """The recorded features of the captions; a dropped group is to meet those of the empty caption."""
    empty = Expected("stage1")["init/empty_text_feature"]
    recorded = iter(expected[f"{name}/caption_feature_{index}"] for index in range(dropped.count(False)))
    return torch.stack([empty if drop else next(recorded) for drop in dropped])


@pytest.mark.parametrize(("stage", "name"), CASES)
@torch.no_grad()
def test_a_batch_has_the_official_losses(stage: str, name: str, engines: dict[str, Engine]) -> None:
    engine, expected = engines[stage], Expected(stage)
    case = expected.cases[name]
    batch, pictures = batch_of(engine, name, expected)
    dropped = torch.tensor(case["dropped"], dtype=torch.bool)
    task = StageTask(engine.model, UAS, engine.tokenizer, sampler=lambda rng: None)  # type: ignore[arg-type]
    ours = StageBatch(batch, pictures, None, [], dropped, 0)

    hidden = task._hidden(ours)
    rows, places = expected[f"{name}/label_positions"].unbind(1)
    assert_equal(hidden[rows, places], expected[f"{name}/last_hidden_at_label_positions"])
    wanted = batch.labels[:, 1:] != IGNORED
    text = text_loss(engine.model.language.logits(hidden[:, :-1][wanted]), batch.labels[:, 1:][wanted])
    assert float(text) == pytest.approx(case["losses"]["text_loss"], rel=1e-4)

    assert batch.voken_positions.tolist() == [
        [sample, place + 1] for sample, place in case["special_token_index"]
    ]
    embeds = task._prompt_embeds(hidden, ours)
    assert_equal(embeds, expected[f"{name}/mapped"])
    image = image_loss_of(engine, embeds, name, expected)
    assert float(image) == pytest.approx(case["losses"]["image_loss"], rel=1e-4)

    whole = 0.01 * text + image
    if "caption_loss" in case["losses"]:
        captions = caption_loss(embeds, caption_features(case["dropped"], name, expected))
        assert float(captions) == pytest.approx(case["losses"]["caption_loss"], rel=1e-4)
        whole = whole + 0.1 * captions
    assert float(whole) == pytest.approx(case["losses"]["loss"], rel=1e-4)


def test_the_official_text_loss_is_a_mean_over_labelled_tokens() -> None:
    logits, labels = torch.randn(6, 9), torch.tensor([1, IGNORED, 3, IGNORED, 0, 2])
    assert torch.allclose(
        text_loss(logits, labels), F.cross_entropy(logits[labels >= 0], labels[labels >= 0])
    )
