"""Stochastic depth in the spellings that image models are published with."""

from __future__ import annotations

import torch
from torch import nn


class DropPath(nn.Module):
    """A branch dropped for whole samples, the mask scaled: as timm writes it."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.keep_prob = 1 - rate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.keep_prob == 1 or not self.training:
            return x
        mask = x.new_empty((x.shape[0],) + (1,) * (x.ndim - 1)).bernoulli_(self.keep_prob)
        return x * mask.div_(self.keep_prob)


class StochasticDepth(nn.Module):
    """The same by uniform noise and floor, x divided first: as the first PyTorch EfficientNet and Swin write it."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.keep_prob = 1 - rate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return x
        noise = torch.rand((x.shape[0],) + (1,) * (x.ndim - 1), dtype=x.dtype, device=x.device)
        return x / self.keep_prob * torch.floor(self.keep_prob + noise)


class RowDepth(nn.Module):
    """The same by a mask of fixed shape, as torchvision's `stochastic_depth` of mode row writes it."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.keep_prob = 1 - rate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return x
        mask = torch.empty([x.shape[0]] + [1] * (x.ndim - 1), dtype=x.dtype, device=x.device)
        return x * mask.bernoulli_(self.keep_prob).div_(self.keep_prob)


class DropoutPath(nn.Module):
    """The same by functional dropout of ones: a common shortcut."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        ones = x.new_ones((x.shape[0],) + (1,) * (x.ndim - 1))
        return x * nn.functional.dropout(ones, self.rate, self.training)
