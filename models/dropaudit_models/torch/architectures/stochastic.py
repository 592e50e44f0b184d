"""Networks that are random beside dropout, or by other means: sequence to sequence, a VAE, a noisy net."""

from __future__ import annotations

import math

import torch
from torch import nn

from dropaudit_models.torch.architectures.examples import UNITS, VOCABULARY, Made, ids, seeded, vectors

ACTIONS, LATENT, TARGET_STEPS = 4, 8, 4


class Seq2Seq(nn.Module):
    """A GRU reads; a GRU cell writes, step by step, with additive attention, told the target (Bahdanau et al. 2015)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.source, self.target = nn.Embedding(VOCABULARY, UNITS), nn.Embedding(VOCABULARY, UNITS)
        self.encoder = nn.GRU(UNITS, UNITS, batch_first=True)
        self.cell = nn.GRUCell(2 * UNITS, UNITS)
        self.energy = nn.Sequential(nn.Linear(2 * UNITS, UNITS), nn.Tanh(), nn.Linear(UNITS, 1, bias=False))
        self.dropout = nn.Dropout(rate)
        self.head = nn.Linear(2 * UNITS, VOCABULARY)

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        read, last = self.encoder(self.dropout(self.source(source)))
        state, written = last[0], []
        for step in range(TARGET_STEPS):
            context = self._attended(state, read)
            word = self.dropout(self.target(target[:, step]))
            state = self.cell(torch.cat([word, context], dim=1), state)
            written.append(self.head(self.dropout(torch.cat([state, context], dim=1))))
        return torch.stack(written, dim=1)

    def _attended(self, state: torch.Tensor, read: torch.Tensor) -> torch.Tensor:
        asked = state[:, None].expand_as(read)
        weights = self.energy(torch.cat([asked, read], dim=-1)).softmax(dim=1)
        return (weights * read).sum(dim=1)


class VariationalAutoencoder(nn.Module):
    """An encoder with dropout to a mean and a variance, one sample between them, a decoder."""

    def __init__(self, rate: float, always: bool) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(UNITS, 24), nn.ReLU(), nn.Dropout(rate))
        self.mean, self.log_variance = nn.Linear(24, LATENT), nn.Linear(24, LATENT)
        self.decoder = nn.Sequential(nn.Linear(LATENT, 24), nn.ReLU(), nn.Linear(24, UNITS))
        self.always = always

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.encoder(x)
        latent = self.mean(hidden)
        if self.training or self.always:
            deviation = torch.exp(0.5 * self.log_variance(hidden))
            latent = latent + torch.randn_like(deviation) * deviation
        return self.decoder(latent)


class NoisyLinear(nn.Module):
    """Weights with factorized Gaussian noise in training (Fortunato et al. 2018)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(outputs, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(outputs).uniform_(-bound, bound))
        self.weight_deviation = nn.Parameter(torch.full((outputs, inputs), 0.5 * bound))
        self.bias_deviation = nn.Parameter(torch.full((outputs,), 0.5 * bound))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return nn.functional.linear(x, self.weight, self.bias)
        # Drawn in the shape of data: a draw of constant shape is one that an exporter may make a constant.
        read, written = _rooted(torch.randn_like(x[0])), _rooted(torch.randn_like(self.bias + 0 * x[0, 0]))
        weight = self.weight + self.weight_deviation * torch.outer(written, read)
        return nn.functional.linear(x, weight, self.bias + self.bias_deviation * written)


def _rooted(noise: torch.Tensor) -> torch.Tensor:
    return noise.sign() * noise.abs().sqrt()


class DuelingNetwork(nn.Module):
    """Values of actions: a state's value, and by how much each action is better than their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(UNITS, UNITS), nn.ReLU())
        self.value = nn.Sequential(NoisyLinear(UNITS, UNITS), nn.ReLU(), NoisyLinear(UNITS, 1))
        self.advantage = nn.Sequential(NoisyLinear(UNITS, UNITS), nn.ReLU(), NoisyLinear(UNITS, ACTIONS))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shared = self.shared(x)
        advantage = self.advantage(shared)
        return self.value(shared) + advantage - advantage.mean(dim=1, keepdim=True)


def seq2seq() -> Made:
    """Dropout on both embeddings, and on what each step's head reads."""
    seeded()
    return Seq2Seq(0.3), (ids(), ids(TARGET_STEPS, seed=2))


def vae() -> Made:
    """Samples in training alone; the mean otherwise."""
    seeded()
    return VariationalAutoencoder(0.2, always=False), (vectors(),)


def vae_sampling() -> Made:
    """Samples in evaluation mode too, as a generator should and an encoder should not."""
    seeded()
    return VariationalAutoencoder(0.2, always=True), (vectors(),)


def noisy_net() -> Made:
    """A dueling network for reinforcement learning that explores by noise on its weights, without any dropout."""
    seeded()
    return DuelingNetwork(), (vectors(),)
