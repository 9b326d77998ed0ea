"""Progressive growing of the VAE: the grown one begins as the one of half its size."""

import pytest
import torch
from diffusers import AutoencoderKL
from torch.nn.functional import avg_pool2d, interpolate

from minigpt5.training.pictures import grow, half_size
from minigpt5.training.storybook_config import VAE

SMALL = {**VAE, "block_out_channels": [8, 8, 16], "sample_size": 32, "latent_channels": 4}
SMALL |= {"down_block_types": ["DownEncoderBlock2D"] * 3, "up_block_types": ["UpDecoderBlock2D"] * 3}


@pytest.fixture
def pair():
    """A VAE of half the size, whose first and last convolution see one pixel alone, and the one grown from it."""
    torch.manual_seed(0)
    whole, half = AutoencoderKL(**SMALL), AutoencoderKL(**half_size(SMALL))
    for conv in (half.encoder.conv_in, half.decoder.conv_out):
        conv.weight.data *= torch.tensor([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]])
    grow(whole, half)
    return whole, half


@torch.no_grad()
def test_a_grown_vae_sees_what_the_half_sized_saw_in_the_shrunk_picture(pair):
    whole, half = pair
    pictures = torch.randn(2, 3, 32, 32)
    expected = half.encode(avg_pool2d(pictures, 2)).latent_dist.mean
    torch.testing.assert_close(whole.encode(pictures).latent_dist.mean, expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_a_grown_vae_draws_what_the_half_sized_drew_at_twice_the_size(pair):
    whole, half = pair
    latents = torch.randn(2, 4, 8, 8)
    expected = interpolate(half.decode(latents).sample, scale_factor=2.0)
    torch.testing.assert_close(whole.decode(latents).sample, expected, rtol=1e-4, atol=1e-4)
