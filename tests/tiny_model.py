"""The real classes at a tiny size, and a tiny tokenizer of the real kind, for tests to build from."""

import json

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from minigpt5.config import MapperConfig, ModelConfig
from minigpt5.vokens import control_tokens

SENTENCES = (
    "You answer with words and pictures. ###Human: Draw a blue rabbit with a red balloon.",
    "###Assistant: Here it is. ###",
    "<Img></Img> What happens next? The rabbit walks to the beach and finds a shell.",
)


def make_tokenizer(vocabulary: int = 400) -> PreTrainedTokenizerFast:
    """BPE with byte fallback and metaspace, `<unk> <s> </s>`, 256 bytes, merges, then the control tokens."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    special = ["<unk>", "<s>", "</s>", *(f"<0x{value:02X}>" for value in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(SENTENCES * 5, trainer)
    state = Tokenizer.from_str(_without_byte_specials(tokenizer.to_str()))
    state.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in control_tokens()]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=state, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def _without_byte_specials(serialized: str) -> str:

    values = json.loads(serialized)
    values["added_tokens"] = values["added_tokens"][:3]
    return json.dumps(values)


def make_config(vocabulary: int) -> ModelConfig:
    """Every part of the real architecture, as narrow as its class allows."""
    return ModelConfig(
        name="tiny",
        knows="nothing",
        image_size=32,
        num_query_tokens=4,
        context_length=256,
        vision={
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 16,
            "initializer_range": 0.02,
            "qkv_bias": True,
        },
        qformer={
            "vocab_size": 8,
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "encoder_hidden_size": 16,
            "cross_attention_frequency": 1,
        },
        language={
            "vocab_size": vocabulary,
            "hidden_size": 64,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "max_position_embeddings": 256,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "pad_token_id": 2,
        },
        mapper=MapperConfig(
            llm_width=64,
            width=16,
            num_heads=2,
            num_encoder_layers=1,
            num_decoder_layers=1,
            feedforward_width=32,
        ),
        unet={
            "sample_size": 8,
            "in_channels": 4,
            "out_channels": 4,
            "block_out_channels": [8, 16],
            "layers_per_block": 1,
            "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
            "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
            "cross_attention_dim": 16,
            "attention_head_dim": 2,
            "norm_num_groups": 4,
        },
        vae={
            "latent_channels": 4,
            "block_out_channels": [4, 8, 8],
            "layers_per_block": 1,
            "norm_num_groups": 2,
            "down_block_types": ["DownEncoderBlock2D"] * 3,
            "up_block_types": ["UpDecoderBlock2D"] * 3,
            "sample_size": 32,
            "scaling_factor": 1.0,
        },
        text_encoder={},
        scheduler={
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
        },
        preview=((0.1, 0.1, 0.1),) * 5,
    )
