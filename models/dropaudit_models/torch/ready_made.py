"""Modules with dropout in the places where people put it; each function returns a module and its example."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from dropaudit_models.torch.training import trained_classifier

Made = tuple[nn.Module, tuple[torch.Tensor, ...]]
BATCH, STEPS, FEATURES, UNITS, VOCABULARY = 5, 7, 4, 16, 24


class Recurrent(nn.Module):
    """Input dropout, a recurrent module, and a module on its output."""

    def __init__(self, recurrent: nn.Module, after: nn.Module, before: nn.Module | None = None) -> None:
        super().__init__()
        self.before = before or nn.Identity()
        self.recurrent = recurrent
        self.after = after

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        output, _ = self.recurrent(self.before(x))
        return self.after(output)


class SharedDropout(nn.Module):
    """One mask for all time steps (Gal & Ghahramani 2016), or for the batch too."""

    def __init__(self, rate: float, over_batch: bool = False) -> None:
        super().__init__()
        self.keep_prob = 1 - rate
        self.over_batch = over_batch

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return x
        mask = x.new_empty(1 if self.over_batch else x.shape[0], 1, x.shape[2]).bernoulli_(self.keep_prob)
        return x * (mask / self.keep_prob)


class ChannelDropout(nn.Module):
    """nn.Dropout1d wants (batch, channels, time)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout1d(rate)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dropout(x.transpose(1, 2)).transpose(1, 2)


class WeightDropLSTM(nn.Module):
    """An LSTM whose recurrent weights are dropped, one mask a forward pass (Merity et al. 2018)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.lstm = nn.LSTM(FEATURES, UNITS, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = functional.dropout(self.lstm.weight_hh_l0, self.rate, self.training)
        return torch.func.functional_call(self.lstm, {"weight_hh_l0": weight}, (x,))[0]


class EmbeddingDropLSTM(nn.Module):
    """An LSTM on an embedding that loses whole words, one mask a forward pass (Merity et al. 2018)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.keep_prob = 1 - rate
        self.embedding = nn.Embedding(VOCABULARY, FEATURES)
        self.lstm = nn.LSTM(FEATURES, UNITS, batch_first=True)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        table = self.embedding.weight
        if self.training:
            mask = table.new_empty(VOCABULARY, 1).bernoulli_(self.keep_prob)
            table = table * (mask / self.keep_prob)
        return self.lstm(functional.embedding(ids, table))[0]


class AlwaysOn(nn.Module):
    """A bug: functional dropout that does not know the module's mode."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x, self.rate)


class Unscaled(nn.Module):
    """A bug: a mask, and no division by the keep probability."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.keep_prob = 1 - rate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * (torch.rand_like(x) < self.keep_prob) if self.training else x


def _sequences() -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    return (torch.randn(BATCH, STEPS, FEATURES, generator=generator),)


def _ids() -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    return (torch.randint(0, VOCABULARY, (BATCH, STEPS), generator=generator),)


def _lstm(layers: int = 1, dropout: float = 0.0, bidirectional: bool = False) -> nn.LSTM:
    torch.manual_seed(0)
    return nn.LSTM(FEATURES, UNITS, layers, dropout=dropout, bidirectional=bidirectional, batch_first=True)


def lstm_output() -> Made:
    """Dropout on the output, as in the question that started dropaudit."""
    return Recurrent(_lstm(), nn.Dropout(0.5)), _sequences()


def lstm_input() -> Made:
    """Dropout on the input."""
    return Recurrent(_lstm(), nn.Identity(), nn.Dropout(0.2)), _sequences()


def lstm_stacked() -> Made:
    """nn.LSTM drops every layer's output but the last."""
    return Recurrent(_lstm(layers=3, dropout=0.3), nn.Identity()), _sequences()


def lstm_bidirectional() -> Made:
    """The same in both directions."""
    return Recurrent(_lstm(layers=2, dropout=0.3, bidirectional=True), nn.Identity()), _sequences()


def lstm_locked() -> Made:
    """One mask for all time steps."""
    return Recurrent(_lstm(), SharedDropout(0.3)), _sequences()


def lstm_variational() -> Made:
    """One mask for batch and time."""
    return Recurrent(_lstm(), SharedDropout(0.3, over_batch=True)), _sequences()


def lstm_weight_drop() -> Made:
    """Dropout on recurrent weights."""
    torch.manual_seed(0)
    return WeightDropLSTM(0.4), _sequences()


def lstm_embedding() -> Made:
    """Dropout on rows of an embedding."""
    torch.manual_seed(0)
    return EmbeddingDropLSTM(0.3), _ids()


def lstm_alpha() -> Made:
    """Alpha dropout on the output."""
    return Recurrent(_lstm(), nn.AlphaDropout(0.3)), _sequences()


def lstm_channels() -> Made:
    """Feature dropout on the output."""
    return Recurrent(_lstm(), ChannelDropout(0.3)), _sequences()


def gru() -> Made:
    """GRU, output dropout."""
    torch.manual_seed(0)
    return Recurrent(nn.GRU(FEATURES, UNITS, batch_first=True), nn.Dropout(0.4)), _sequences()


def gru_stacked() -> Made:
    """GRU, dropout between layers."""
    torch.manual_seed(0)
    return Recurrent(nn.GRU(FEATURES, UNITS, 2, dropout=0.3, batch_first=True), nn.Identity()), _sequences()


def rnn() -> Made:
    """Plain RNN, output dropout."""
    torch.manual_seed(0)
    return Recurrent(nn.RNN(FEATURES, UNITS, batch_first=True), nn.Dropout(0.4)), _sequences()


def classifier() -> Made:
    """A classifier after a few seconds of training."""
    return trained_classifier()


def lstm_always_on() -> Made:
    """Dropout that evaluation mode does not switch off."""
    return Recurrent(_lstm(), AlwaysOn(0.5)), _sequences()


def lstm_unscaled() -> Made:
    """Dropout without the division."""
    return Recurrent(_lstm(), Unscaled(0.4)), _sequences()
