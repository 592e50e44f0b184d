"""A small classifier, trained on data made here, so that audits run on trained weights too."""

from __future__ import annotations

import math

import torch
from torch import nn

BATCH, STEPS, UNITS, CLASSES = 64, 24, 24, 3
ROUNDS = 150
_RATE = 0.3
# Periods of the waves of each class, in steps.
_PERIODS = (4.0, 8.0, 16.0)
_NOISE = 0.3


class Classifier(nn.Module):
    """LSTM, dropout on its last output, linear head: logits of shape (batch, classes)."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, UNITS, batch_first=True)
        self.dropout = nn.Dropout(_RATE)
        self.head = nn.Linear(UNITS, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        output, _ = self.lstm(x)
        return self.head(self.dropout(output[:, -1]))


def waves(count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Make noisy sine waves of random phase, shape (count, steps, 1), and their classes: which period they have."""
    classes = torch.randint(0, CLASSES, (count,), generator=generator)
    phase = torch.rand(count, 1, generator=generator) * 2 * math.pi
    periods = torch.tensor(_PERIODS)[classes][:, None]
    clean = torch.sin(2 * math.pi * torch.arange(STEPS)[None] / periods + phase)
    noisy = clean + _NOISE * torch.randn(count, STEPS, generator=generator)
    return noisy[..., None], classes


def trained_classifier(seed: int = 0) -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    """Train the classifier for a few seconds and return it with eight waves that it has not seen."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    module = Classifier().train()
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    for _ in range(ROUNDS):
        x, classes = waves(BATCH, generator)
        loss = nn.functional.cross_entropy(module(x), classes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return module, (waves(8, generator)[0],)


def accuracy(module: nn.Module, seed: int = 1, count: int = 512) -> float:
    """Return the share of unseen waves whose class a module tells, in the mode it is in."""
    x, classes = waves(count, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        return float((module(x).argmax(dim=1) == classes).float().mean())
