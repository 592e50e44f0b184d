"""Inputs and seeds that the architectures share."""

from __future__ import annotations

import torch
from torch import nn

Made = tuple[nn.Module, tuple[torch.Tensor, ...]]
BATCH, STEPS, UNITS, VOCABULARY, CLASSES = 12, 8, 32, 40, 5
IMAGE, CHANNELS = 16, 3


def seeded() -> None:
    """Let the weights that are drawn next be the same each time."""
    torch.manual_seed(0)


def vectors(features: int = UNITS) -> torch.Tensor:
    """Standard normal, shape (batch, features)."""
    return torch.randn(BATCH, features, generator=_generator())


def sequences(features: int = UNITS) -> torch.Tensor:
    """Standard normal, shape (batch, steps, features)."""
    return torch.randn(BATCH, STEPS, features, generator=_generator())


def signals(channels: int) -> torch.Tensor:
    """Standard normal, shape (batch, channels, 4 steps)."""
    return torch.randn(BATCH, channels, 4 * STEPS, generator=_generator())


def images() -> torch.Tensor:
    """Standard normal, shape (batch, channels, height, width)."""
    return torch.randn(BATCH, CHANNELS, IMAGE, IMAGE, generator=_generator())


def ids(steps: int = STEPS, seed: int = 1) -> torch.Tensor:
    """Token ids, shape (batch, steps)."""
    return torch.randint(0, VOCABULARY, (BATCH, steps), generator=_generator(seed))


def _generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
