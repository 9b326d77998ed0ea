"""The losses of the paper (section 3.3) and those of the base parts."""

from __future__ import annotations

import torch
import torch.nn.functional as F

MIN_SNR_GAMMA = 5.0
IGNORED = -100


def min_snr_weight(
    alphas_cumprod: torch.Tensor, timesteps: torch.Tensor, gamma: float = MIN_SNR_GAMMA
) -> torch.Tensor:
    """alphas_cumprod (steps,), timesteps (B,) -> weights (B,) for noise prediction: min(SNR, gamma) / SNR."""
    alphas = alphas_cumprod.to(timesteps.device)[timesteps]
    snr = alphas / (1 - alphas)
    return snr.clamp(max=gamma) / snr


def image_loss(noise_pred: torch.Tensor, noise: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Latent-diffusion loss: noise_pred and noise (B,c,h,w), weights (B,) -> scalar."""
    return (F.mse_loss(noise_pred, noise, reduction="none").mean(dim=(1, 2, 3)) * weights).mean()


def caption_loss(prompt_embeds: torch.Tensor, text_features: torch.Tensor) -> torch.Tensor:
    """Mapper output against the frozen text encoder's features of the caption, both (B,L,C) -> scalar."""
    return F.mse_loss(prompt_embeds, text_features)


def text_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Next-token loss: logits (N,vocabulary), labels (N,) already shifted, -100 where nothing is to be said.

    Of nothing it is 0.
    """
    total = F.cross_entropy(logits.float(), labels, ignore_index=IGNORED, reduction="sum")
    return total / (labels != IGNORED).sum().clamp(min=1)


def attribute_losses(logits: list[torch.Tensor], labels: torch.Tensor) -> dict[str, torch.Tensor]:
    """logits (N,classes) of each of A attributes, labels (N,A) -> mean cross-entropy and share that is right.

    Of no examples (N = 0) both are 0.
    """
    pairs = list(zip(logits, labels.unbind(1), strict=True))
    loss = torch.stack([F.cross_entropy(x.float(), y, reduction="sum") for x, y in pairs]).sum()
    right = torch.stack([(x.argmax(1) == y).sum() for x, y in pairs]).sum()
    count = max(1, labels.numel())
    return {"loss": loss / count, "accuracy": (right / count).detach()}


def reconstruction_loss(picture: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """L1 + 10 MSE + 0.3 gradient L1; both (B,3,H,W) in [-1,1] -> scalar.

    Most of the squared error lies in a few pixels, whiskers and outlines, of which L1 alone knows little; the
    gradient keeps what is drawn crisp.
    """
    difference = picture - target
    edges = difference.diff(dim=-1).abs().mean() + difference.diff(dim=-2).abs().mean()
    return difference.abs().mean() + 10 * difference.square().mean() + 0.3 * edges
