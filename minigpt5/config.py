"""Every number of a model, as frozen data that reads and writes `config.json`.

The nested dictionaries are the keyword arguments of the Hugging Face configuration of that part, so the
embedded model and the paper's differ in numbers alone. Knows no torch and no weights.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from minigpt5.errors import CheckpointError
from minigpt5.vokens import NUM_VOKENS

CONFIG_NAME = "config.json"


@dataclass(frozen=True)
class MapperConfig:
    """`VokenMapper`: `num_vokens` states of LLM width in, `length` conditioning vectors of `width` out (paper, section
    3.2)."""

    llm_width: int
    width: int
    length: int = 77
    num_heads: int = 8
    num_encoder_layers: int = 4
    num_decoder_layers: int = 4
    feedforward_width: int = 4096
    num_vokens: int = NUM_VOKENS


@dataclass(frozen=True)
class ConnectorConfig:
    """`EncoderConnector`: `num_vokens` states of LLM width in, as many conditioning vectors of `width` out; `kind` tells
    it from a `MapperConfig` in `config.json`."""

    llm_width: int
    width: int
    encoder_width: int
    num_layers: int
    num_heads: int
    feedforward_width: int
    num_vokens: int
    kind: Literal["encoder"] = "encoder"

    @property
    def length(self) -> int:
        """How many conditioning vectors come out."""
        return self.num_vokens


@dataclass(frozen=True)
class LoraConfig:
    """Low-rank adapters of the second stage; rank 0 means that none are applied."""

    rank: int = 8
    alpha: int = 16
    dropout: float = 0.05
    target_modules: tuple[str, ...] = ("q_proj", "v_proj")


@dataclass(frozen=True)
class FastConfig:
    """The few steps that a model's painter was distilled for: what the scheduler choice `fast` stands for.

    `own_unet` says that they are drawn with a UNet of their own, the part `unet_fast`, of the shape of the other.
    """

    scheduler: Literal["lcm", "tcd", "euler-trailing"] = "euler-trailing"
    num_inference_steps: int = 4
    guidance_scale: float = 1.0
    own_unet: bool = True


@dataclass(frozen=True)
class ModelConfig:
    """One MiniGPT-5 model.

    `image_size` is the side of the pictures drawn, in pixels; the side of those read is
    `vision["image_size"]`. `preview` is the linear map latents -> RGB (channels + 1 rows of 3 numbers, the
    last row the offset) with which pictures are shown while they form. `prefix_length` is the number of
    virtual tokens before every prompt (prefix tuning), 0 without. `stop_sequences` are the ids that end
    `Engine.generate_ids`; without any, those of `###`. `fast` is None for a painter that needs its many steps.
    """

    name: str
    knows: str
    image_size: int
    num_query_tokens: int
    context_length: int
    vision: dict[str, Any]
    qformer: dict[str, Any]
    language: dict[str, Any]
    mapper: MapperConfig | ConnectorConfig
    unet: dict[str, Any]
    vae: dict[str, Any]
    text_encoder: dict[str, Any]
    scheduler: dict[str, Any]
    lora: LoraConfig = field(default_factory=LoraConfig)
    system_prompt: str = ""
    preview: tuple[tuple[float, ...], ...] = ()
    prefix_length: int = 0
    stop_sequences: tuple[tuple[int, ...], ...] = ()
    fast: FastConfig | None = None

    def save(self, folder: Path) -> None:
        """Write `config.json` into `folder`."""
        (folder / CONFIG_NAME).write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, folder: Path) -> ModelConfig:
        """Read `config.json` from `folder`.

        Raises CheckpointError if it is missing, is not JSON, or has keys that are not those of this class.
        """
        path = folder / CONFIG_NAME
        try:
            values = json.loads(path.read_text())
        except FileNotFoundError as error:
            raise CheckpointError(
                f"{path}: got no such file, expected a model folder with {CONFIG_NAME}"
            ) from error
        except OSError as error:
            raise CheckpointError(f"{path}: got {error.strerror}, expected a readable file") from error
        except ValueError as error:
            raise CheckpointError(f"{path}: got text that is not JSON ({error}), expected JSON") from error
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise CheckpointError(f"{path}: got unknown keys {unknown}, expected only {sorted(known)}")
        try:
            return cls(
                **{
                    **values,
                    "mapper": _mapper(values["mapper"], path),
                    "lora": LoraConfig(
                        **{**values["lora"], "target_modules": tuple(values["lora"]["target_modules"])}
                    ),
                    "preview": tuple(tuple(row) for row in values.get("preview", ())),
                    "stop_sequences": tuple(tuple(row) for row in values.get("stop_sequences", ())),
                    "fast": FastConfig(**fast) if (fast := values.get("fast")) else None,
                }
            )
        except (TypeError, KeyError) as error:
            raise CheckpointError(f"{path}: got an incomplete configuration ({error})") from error


def _mapper(values: dict[str, Any], path: Path) -> MapperConfig | ConnectorConfig:
    match values.get("kind"):
        case None:
            return MapperConfig(**values)
        case "encoder":
            return ConnectorConfig(**values)
        case kind:
            raise CheckpointError(f"{path}: got a mapper of kind {kind!r}, expected 'encoder' or none")
