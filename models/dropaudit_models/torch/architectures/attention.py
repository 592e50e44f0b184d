"""Transformers: an encoder, a decoder of the GPT kind, a vision transformer, and BERT."""

from __future__ import annotations

import math

import torch
from torch import nn

from dropaudit_models.torch.architectures.depth import DropPath
from dropaudit_models.torch.architectures.examples import (
    CHANNELS,
    CLASSES,
    STEPS,
    UNITS,
    VOCABULARY,
    Made,
    ids,
    images,
    seeded,
    sequences,
)

HEADS, LAYERS, PATCH = 4, 2, 4


class SelfAttention(nn.Module):
    """Multi-head attention written out, with dropout on the attention's weights and on the result."""

    def __init__(self, rate: float, causal: bool) -> None:
        super().__init__()
        self.joint = nn.Linear(UNITS, 3 * UNITS)
        self.out = nn.Linear(UNITS, UNITS)
        self.weights_dropout = nn.Dropout(rate)
        self.result_dropout = nn.Dropout(rate)
        self.causal = causal

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = (part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in self.joint(x).chunk(3, dim=-1))
        scores = query @ key.transpose(-2, -1) / math.sqrt(UNITS // HEADS)
        if self.causal:
            later = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).triu(1)
            scores = scores.masked_fill(later, -math.inf)
        mixed = self.weights_dropout(scores.softmax(dim=-1)) @ value
        return self.result_dropout(self.out(mixed.transpose(1, 2).flatten(2)))


class Block(nn.Module):
    """Attention and two dense layers, each normalized before and added to what it read."""

    def __init__(self, rate: float, causal: bool = False, path: float = 0.0) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(UNITS), nn.LayerNorm(UNITS)
        self.attention = SelfAttention(rate, causal)
        self.dense = nn.Sequential(
            nn.Linear(UNITS, 2 * UNITS), nn.GELU(), nn.Linear(2 * UNITS, UNITS), nn.Dropout(rate)
        )
        self.path = DropPath(path)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.path(self.attention(self.first(x)))
        return x + self.path(self.dense(self.second(x)))


class Decoder(nn.Module):
    """A language model: embeddings, causal blocks, and a head that shares the embedding's weights."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(VOCABULARY, UNITS), nn.Embedding(STEPS, UNITS)
        self.dropout = nn.Dropout(rate)
        self.blocks = nn.Sequential(*(Block(rate, causal=True) for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(UNITS)
        self.head = nn.Linear(UNITS, VOCABULARY, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        places = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.dropout(self.tokens(tokens) + self.positions(places))
        return self.head(self.norm(self.blocks(x)))


class VisionTransformer(nn.Module):
    """Patches, a class token, blocks whose branches are dropped ever more often, and a linear head."""

    def __init__(self, paths: tuple[float, ...]) -> None:
        super().__init__()
        self.patches = nn.Conv2d(CHANNELS, UNITS, PATCH, PATCH)
        self.token = nn.Parameter(torch.randn(1, 1, UNITS))
        self.places = nn.Parameter(0.02 * torch.randn(1, 17, UNITS))
        self.blocks = nn.Sequential(*(Block(0.0, path=path) for path in paths))
        self.norm = nn.LayerNorm(UNITS)
        self.head = nn.Linear(UNITS, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        patches = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), patches], dim=1) + self.places
        return self.head(self.norm(self.blocks(x))[:, 0])


def transformer_encoder() -> Made:
    """nn.TransformerEncoder, whose attention is scaled_dot_product_attention with a dropout rate of its own."""
    seeded()
    layer = nn.TransformerEncoderLayer(UNITS, HEADS, 2 * UNITS, dropout=0.1, batch_first=True)
    return nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False), (sequences(),)


def gpt_decoder() -> Made:
    """Dropout on embeddings, attention weights, and both branches."""
    seeded()
    return Decoder(0.2), (ids(),)


def vit_drop_path() -> Made:
    """Drop path alone, growing with depth from a first block that has none; every nn.Dropout has rate 0."""
    seeded()
    return VisionTransformer((0.0, 0.1, 0.2)), (images(),)


class Masked(nn.Module):
    """BERT's last hidden states as a tensor."""

    def __init__(self, bert: nn.Module) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state


def bert() -> Made:
    """BERT of the transformers library by configuration alone, attention written out."""
    from transformers import BertConfig, BertModel

    seeded()
    config = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=UNITS,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=2 * UNITS,
        max_position_embeddings=2 * STEPS,
        attn_implementation="eager",
    )
    mask = torch.ones_like(ids())
    mask[0, STEPS // 2 :] = 0
    return Masked(BertModel(config, add_pooling_layer=False)), (ids(), mask)
