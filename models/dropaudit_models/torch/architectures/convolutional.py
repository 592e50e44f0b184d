"""Convolutional networks: ConvNeXt, EfficientNet, a temporal one, and WaveNet."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from dropaudit_models.torch.architectures.depth import DropoutPath, RowDepth, StochasticDepth
from dropaudit_models.torch.architectures.examples import CHANNELS, CLASSES, UNITS, Made, images, seeded, signals

LAYER_SCALE = 1e-6


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution, two dense layers, layer scale (1e-6 before training), drop path."""

    def __init__(self, path: nn.Module) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(UNITS, UNITS, 7, padding=3, groups=UNITS)
        self.norm = nn.LayerNorm(UNITS, eps=1e-6)
        self.dense = nn.Sequential(nn.Linear(UNITS, 4 * UNITS), nn.GELU(), nn.Linear(4 * UNITS, UNITS))
        self.scale = nn.Parameter(LAYER_SCALE * torch.ones(UNITS))
        self.path = path

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branch = self.scale * self.dense(self.norm(self.depthwise(x).permute(0, 2, 3, 1)))
        return x + self.path(branch.permute(0, 3, 1, 2))


class SqueezeExcitation(nn.Module):
    """Channels weighted by what the whole image holds."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, 4, 1), nn.SiLU(), nn.Conv2d(4, channels, 1), nn.Sigmoid()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.gate(x)


def _normalized(convolution: nn.Conv2d, *after: nn.Module) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels), *after)


class InvertedBottleneck(nn.Module):
    """EfficientNet's block: expanded, filtered by channel, weighted, projected, and dropped for whole samples."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        wide = 2 * UNITS
        self.branch = nn.Sequential(
            _normalized(nn.Conv2d(UNITS, wide, 1, bias=False), nn.SiLU()),
            _normalized(nn.Conv2d(wide, wide, 3, padding=1, groups=wide, bias=False), nn.SiLU()),
            SqueezeExcitation(wide),
            _normalized(nn.Conv2d(wide, UNITS, 1, bias=False)),
        )
        self.path = StochasticDepth(rate)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.path(self.branch(x))


class Causal(nn.Module):
    """A dilated convolution that sees no later step."""

    def __init__(self, channels: int, made: int, dilation: int, normed: bool = False) -> None:
        super().__init__()
        self.left = 2 * dilation
        convolution = nn.Conv1d(channels, made, 3, dilation=dilation)
        self.convolution = weight_norm(convolution) if normed else convolution

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.convolution(nn.functional.pad(x, (self.left, 0)))


class TemporalBlock(nn.Module):
    """Two weight-normed causal convolutions, ReLU and dropout after each, added to what they read."""

    def __init__(self, channels: int, dilation: int, rate: float) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            *(Causal(channels, UNITS, dilation, normed=True), nn.ReLU(), nn.Dropout(rate)),
            *(Causal(UNITS, UNITS, dilation, normed=True), nn.ReLU(), nn.Dropout(rate)),
        )
        self.shortcut = nn.Conv1d(channels, UNITS, 1) if channels != UNITS else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.branch(x) + self.shortcut(x))


class WaveNet(nn.Module):
    """Gated causal convolutions with residual and skip connections; dropout before each gate."""

    def __init__(self, dilations: tuple[int, ...], rate: float) -> None:
        super().__init__()
        self.first = Causal(1, UNITS, 1)
        self.gates = nn.ModuleList(Causal(UNITS, 2 * UNITS, dilation) for dilation in dilations)
        self.mixes = nn.ModuleList(nn.Conv1d(UNITS, 2 * UNITS, 1) for _ in dilations)
        self.dropout = nn.Dropout(rate)
        self.head = nn.Sequential(nn.ReLU(), nn.Conv1d(UNITS, CLASSES, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x, skipped = self.first(x), torch.zeros((), device=x.device)
        for gate, mix in zip(self.gates, self.mixes, strict=True):
            filtered, opened = gate(self.dropout(x)).chunk(2, dim=1)
            residual, skip = mix(torch.tanh(filtered) * torch.sigmoid(opened)).chunk(2, dim=1)
            x, skipped = x + residual, skipped + skip
        return self.head(skipped)


def convnext() -> Made:
    """A stem and two blocks as they are before training, when layer scale leaves a millionth of each branch."""
    return _convnext(RowDepth(0.1), RowDepth(0.3)), (images(),)


def convnext_shortcut() -> Made:
    """The same with drop path by dropout of ones, which `dynamo=True` computes once."""
    return _convnext(DropoutPath(0.4), DropoutPath(0.5)), (images(),)


def _convnext(*paths: nn.Module) -> nn.Module:
    seeded()
    return nn.Sequential(nn.Conv2d(CHANNELS, UNITS, 4, 4), *map(ConvNeXtBlock, paths))


def efficientnet() -> Made:
    """A stem with BatchNorm, two blocks, pooling, and dropout before the head."""
    seeded()
    stem = _normalized(nn.Conv2d(CHANNELS, UNITS, 3, 2, 1, bias=False), nn.SiLU())
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(UNITS, CLASSES))
    return nn.Sequential(stem, InvertedBottleneck(0.1), InvertedBottleneck(0.2), *head), (images(),)


def tcn() -> Made:
    """A temporal convolutional network (Bai et al. 2018)."""
    seeded()
    blocks = (TemporalBlock(4, 1, 0.2), TemporalBlock(UNITS, 2, 0.2))
    return nn.Sequential(*blocks, nn.Conv1d(UNITS, CLASSES, 1)), (signals(4),)


def wavenet() -> Made:
    """WaveNet (van den Oord et al. 2016) with dropout."""
    seeded()
    return WaveNet((1, 2, 4), 0.1), (signals(1),)
