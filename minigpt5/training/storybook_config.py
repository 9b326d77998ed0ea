"""The numbers of the embedded model, `storybook`, and of the next one, `WIDE`: the paper's architecture at a size that a
laptop trains."""

from __future__ import annotations

from dataclasses import replace

from minigpt5.config import FastConfig, LoraConfig, MapperConfig, ModelConfig
from minigpt5.data.storybook.worlds import SHIPPED
from minigpt5.data.storybook.worlds import WIDE as WIDE_WORLD

IMAGE_SIZE = 256  # of what is drawn
EYE_SIZE = 128  # of what is seen
LATENT_CHANNELS = 16
LLM_WIDTH = 192
CONDITIONING_WIDTH = 192
CONDITIONING_LENGTH = 77
BASE_VOCABULARY = 2048

VAE = {
    "in_channels": 3,
    "out_channels": 3,
    "latent_channels": LATENT_CHANNELS,
    "down_block_types": ["DownEncoderBlock2D"] * 5,
    "up_block_types": ["UpDecoderBlock2D"] * 5,
    "block_out_channels": [16, 16, 32, 64, 96],
    "layers_per_block": 1,
    "norm_num_groups": 8,
    "mid_block_add_attention": False,
    "sample_size": IMAGE_SIZE,
    "scaling_factor": 1.0,
}

UNET = {
    "sample_size": IMAGE_SIZE // 16,
    "in_channels": LATENT_CHANNELS,
    "out_channels": LATENT_CHANNELS,
    "block_out_channels": [64, 128, 192],
    "layers_per_block": 1,
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "cross_attention_dim": CONDITIONING_WIDTH,
    "attention_head_dim": 4,
    "norm_num_groups": 16,
}

SCHEDULER = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "epsilon",
    "timestep_spacing": "leading",
    "steps_offset": 1,
    "skip_prk_steps": True,
    "set_alpha_to_one": False,
    "clip_sample": False,
}

TEXT_ENCODER = {
    "vocab_size": BASE_VOCABULARY,
    "hidden_size": CONDITIONING_WIDTH,
    "intermediate_size": 2 * CONDITIONING_WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "max_position_embeddings": CONDITIONING_LENGTH,
    "hidden_act": "gelu",
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}

LANGUAGE = {
    "vocab_size": BASE_VOCABULARY + 9,
    "hidden_size": LLM_WIDTH,
    "intermediate_size": 512,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 1024,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 2,
}

VISION = {
    "hidden_size": 192,
    "intermediate_size": 576,
    "num_hidden_layers": 5,
    "num_attention_heads": 6,
    "image_size": EYE_SIZE,
    "patch_size": 16,
    "qkv_bias": True,
    "layer_norm_eps": 1e-6,
    "initializer_range": 0.02,  # the class's own is 1e-10, from which nothing learns at once
    "attention_dropout": 0.0,
}

QFORMER = {
    "vocab_size": 8,
    "hidden_size": 192,
    "intermediate_size": 384,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "encoder_hidden_size": 192,
    "cross_attention_frequency": 1,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}

STORYBOOK = ModelConfig(
    name="storybook",
    knows=(
        "a picture-book world: rabbits, bears, cats, dogs, elephants, frogs, mice and owls in seven colours, "
        "at the beach, in the forest, the meadow, the mountains, the village and the desert"
    ),
    image_size=IMAGE_SIZE,
    num_query_tokens=len(SHIPPED.attributes),
    context_length=1024,
    vision=VISION,
    qformer=QFORMER,
    language=LANGUAGE,
    mapper=MapperConfig(
        llm_width=LLM_WIDTH,
        width=CONDITIONING_WIDTH,
        length=CONDITIONING_LENGTH,
        num_heads=8,
        num_encoder_layers=2,
        num_decoder_layers=2,
        feedforward_width=512,
    ),
    unet=UNET,
    vae=VAE,
    text_encoder=TEXT_ENCODER,
    scheduler=SCHEDULER,
    lora=LoraConfig(dropout=0.0),
)

WIDE_VOCABULARY = 4096
WIDE_LLM_WIDTH = 256
WIDE_CONTEXT = 512  # as long as the rows that the LLM is trained on

WIDE = replace(
    STORYBOOK,
    knows=(
        "a picture-book world: twenty figures (rabbits, bears, foxes, dragons, robots, children ...) in eleven colours, "
        "one to three of them, in sixteen places from the beach to space, with about 180 things"
    ),
    num_query_tokens=len(WIDE_WORLD.attributes),
    context_length=WIDE_CONTEXT,
    language={
        **LANGUAGE,
        "vocab_size": WIDE_VOCABULARY + 9,
        "hidden_size": WIDE_LLM_WIDTH,
        "intermediate_size": 704,
        "max_position_embeddings": WIDE_CONTEXT,
    },
    text_encoder={**TEXT_ENCODER, "vocab_size": WIDE_VOCABULARY},
    mapper=replace(STORYBOOK.mapper, llm_width=WIDE_LLM_WIDTH),
    fast=FastConfig(),
)
