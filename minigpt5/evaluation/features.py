"""The networks that the metrics look and read with: arguments, since the published ones are not always at hand.

`storybook_networks` are small ones trained on the storybook world (`judge`, `clip`); `published_networks` reads
CLIP, an image classifier and sentence encoders from model folders. Each says in `names` what it is, and the report
repeats that on every table: figures of different networks are not comparable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from transformers import (
    AutoImageProcessor,
    AutoModel,
    AutoModelForImageClassification,
    AutoTokenizer,
    CLIPModel,
)

from minigpt5.data.storybook.attributes import ATTRIBUTES
from minigpt5.errors import OptionError
from minigpt5.evaluation.clip import StorybookClip
from minigpt5.evaluation.judge import JUDGE_SIZE
from minigpt5.images import preprocess

Pictures = list[Image.Image]
CLASSES_OF = ("animal", "colour", "setting")  # together the classes of the storybook's Inception Score


@dataclass(frozen=True)
class Networks:
    """Feature networks; N pictures or texts in, tensors out.

    `pictures` and `texts`: unit vectors (N,D) of one space. `inception`: features (N,D) for FID and logits (N,K)
    for the Inception Score. `sentences`: unit vectors (N,D). `tokens`: for each text its token states (T,D),
    without special tokens. `attributes`: what the judge names in each picture, where there is a judge.
    """

    names: dict[str, str]
    pictures: Callable[[Pictures], Tensor]
    texts: Callable[[list[str]], Tensor]
    inception: Callable[[Pictures], tuple[Tensor, Tensor]]
    sentences: Callable[[list[str]], Tensor]
    tokens: Callable[[list[str]], list[Tensor]]
    attributes: Callable[[Pictures], list[dict[str, str]]] | None = None


def storybook_networks(clip: StorybookClip) -> Networks:
    """Stand-ins that know the storybook world and nothing else."""
    judge = clip.judge

    @torch.inference_mode()
    def pictures(shown: Pictures) -> Tensor:
        return F.normalize(clip.see(judge.mix(judge.features(_pixels(shown)))), dim=-1)

    @torch.inference_mode()
    def texts(said: list[str]) -> Tensor:
        return F.normalize(clip.read(clip.states(clip.tokenize(said))[0]), dim=-1)

    @torch.inference_mode()
    def inception(shown: Pictures) -> tuple[Tensor, Tensor]:
        mixed = judge.mix(judge.features(_pixels(shown)))
        logits = dict(zip(ATTRIBUTES, (head(mixed) for head in judge.heads), strict=True))
        joint = torch.zeros(len(shown), 1)
        for name in CLASSES_OF:  # independent heads: the joint log-probabilities are sums
            joint = (joint[:, :, None] + logits[name].log_softmax(1)[:, None]).flatten(1)
        return F.normalize(mixed, dim=1) * mixed.shape[1] ** 0.5, joint

    @torch.inference_mode()
    def tokens(said: list[str]) -> list[Tensor]:
        _, states, words = clip.states(clip.tokenize(said))
        return [row[mask] for row, mask in zip(states, words, strict=True)]

    stand_in = "a small network trained on rendered storybook scenes"
    names = {
        "CLIP": f"{stand_in} and their wordings, in place of CLIP",
        "Inception": f"{stand_in} (the attribute judge), in place of Inception-v3",
        "S-BERT": "the text half of the same stand-in for CLIP, in place of a sentence encoder",
        "BERTScore": "the token states of the same text half, in place of BERT",
    }
    return Networks(names, pictures, texts, inception, texts, tokens, judge.name)


def _pixels(shown: Pictures) -> Tensor:
    return torch.stack([preprocess(picture, JUDGE_SIZE) for picture in shown])


def published_networks(clip: Path, classifier: Path, sentences: Path, device: str = "cpu") -> Networks:
    """CLIP, an image classifier (features before its last layer, and its logits) and a text encoder, from folders,
    on `device`; what they give is on the CPU.

    The official script's are CLIP ViT-L/14 (ViT-B/32 for MMDialog), Inception-v3, which cannot be read here, and
    all-MiniLM-L6-v2. Raises `OptionError`.
    """
    see, read = published_clip(clip, device)
    encode = _text_encoder(sentences, device)
    names = {
        "CLIP": clip.name,
        "Inception": classifier.name,
        "S-BERT": sentences.name,
        "BERTScore": sentences.name,
    }

    def means(said: list[str]) -> Tensor:
        return F.normalize(torch.stack([_mean(states) for states in encode(said)]), dim=-1)

    return Networks(names, see, read, _classifier(classifier, device), means, encode)


def _mean(states: Tensor) -> Tensor:
    return states.mean(0) if len(states) else states.new_zeros(states.shape[1])


def published_clip(
    folder: Path, device: str = "cpu"
) -> tuple[Callable[[Pictures], Tensor], Callable[[list[str]], Tensor]]:
    """CLIP's two halves: N pictures, or N texts -> unit vectors (N,D)."""
    model = CLIPModel.from_pretrained(folder).to(device).eval()
    processor, tokenizer = _image_processor(folder), AutoTokenizer.from_pretrained(folder)
    room = model.config.text_config.max_position_embeddings

    @torch.inference_mode()
    def see(shown: Pictures) -> Tensor:
        pixels = processor(images=shown, return_tensors="pt")["pixel_values"].to(device)
        pooled = model.vision_model(pixel_values=pixels).pooler_output
        return F.normalize(model.visual_projection(pooled), dim=-1).cpu()

    @torch.inference_mode()
    def read(said: list[str]) -> Tensor:
        words = tokenizer(said, padding=True, truncation=True, max_length=room, return_tensors="pt").to(
            device
        )
        pooled = model.text_model(
            input_ids=words["input_ids"], attention_mask=words["attention_mask"]
        ).pooler_output
        return F.normalize(model.text_projection(pooled), dim=-1).cpu()

    return see, read


def _image_processor(folder: Path) -> Callable[..., dict[str, Tensor]]:
    return AutoImageProcessor.from_pretrained(folder, backend="pil")


def _classifier(folder: Path, device: str) -> Callable[[Pictures], tuple[Tensor, Tensor]]:
    """Raises `OptionError` where the folder holds none that transformers has, which is so of Inception-v3."""
    try:
        model = AutoModelForImageClassification.from_pretrained(folder).to(device).eval()
        processor = _image_processor(folder)
    except (OSError, ValueError) as error:
        raise OptionError(
            f"classifier: got {folder}, expected the folder of an image classifier that transformers can read; there is "
            "none of Inception-v3, whose weights only torch-fidelity and torchvision read. FID and Inception Score of "
            "another network compare systems with each other, and not with published figures"
        ) from error

    @torch.inference_mode()
    def inception(shown: Pictures) -> tuple[Tensor, Tensor]:
        pixels = processor(images=shown, return_tensors="pt")["pixel_values"].to(device)
        output = model(pixel_values=pixels, output_hidden_states=True)
        last = output.hidden_states[-1]
        pooled = last.mean(dim=(2, 3)) if last.ndim == 4 else last.mean(dim=1)
        return pooled.cpu(), output.logits.cpu()

    return inception


def _text_encoder(folder: Path, device: str) -> Callable[[list[str]], list[Tensor]]:
    model = AutoModel.from_pretrained(folder).to(device).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    room = min(tokenizer.model_max_length, model.config.max_position_embeddings)

    @torch.inference_mode()
    def encode(said: list[str]) -> list[Tensor]:
        words = tokenizer(
            said,
            padding=True,
            truncation=True,
            max_length=room,
            return_special_tokens_mask=True,
            return_tensors="pt",
        ).to(device)
        special = words.pop("special_tokens_mask").bool()
        states = model(input_ids=words["input_ids"], attention_mask=words["attention_mask"]).last_hidden_state
        kept = words["attention_mask"].bool() & ~special
        return [row[mask].cpu() for row, mask in zip(states, kept, strict=True)]

    return encode
