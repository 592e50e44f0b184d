"""The architectures by name, and what their exports hold. Needs no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MODULE = "dropaudit_models.torch.architectures"


class Exporter(StrEnum):
    """The two of `torch.onnx.export`."""

    LEGACY = "legacy"
    DYNAMO = "dynamo"


class Mode(StrEnum):
    """The module's mode when it is exported, and `training=` of the legacy exporter."""

    TRAIN = "train"
    EVAL = "eval"


class Trait(StrEnum):
    """Traits of a train artifact; each decides part of the verdict."""

    OPERATORS = "operators"
    SPARED = "spared"
    CHAINS = "chains"
    INERT = "inert"
    FROZEN = "frozen"
    STATISTICS = "statistics"
    NOISE = "noise"
    SAMPLING = "sampling"


REASONS = {
    Trait.OPERATORS: "Dropout operators inside the graph, right as written; a default session deletes them (DA102)",
    Trait.SPARED: "Dropout operators on constants, right as written, which a default session leaves alone",
    Trait.CHAINS: "masks by a uniform draw and a comparison, right as written; no session deletes them",
    Trait.INERT: "scaled_dot_product_attention asks for dropout, and the exporter writes it without train mode: a rate "
    "is declared and nothing drops (DA101); in role auto what cannot be switched on is not a site",
    Trait.FROZEN: "a mask made from constants, computed once by the exporter: a constant mask is DA401 in every role",
    Trait.STATISTICS: "BatchNorm is written with the batch's statistics, so that the modes differ without randomness "
    "(DA502)",
    Trait.NOISE: "Gaussian noise in train mode, which is not dropout (DA106), and behind which DA305 is not judged",
    Trait.SAMPLING: "the noise is drawn in evaluation mode too: served, its outputs differ from run to run (DA104)",
}


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network.

    Attributes:
        factory: `module:function` below this package, which makes the module and its example.
        says: what is special about it.
        traits: of its train artifact, by either exporter.
        legacy, dynamo: of one exporter's alone.
    """

    name: str
    factory: str
    says: str
    traits: frozenset[Trait]
    legacy: frozenset[Trait] = frozenset()
    dynamo: frozenset[Trait] = frozenset()

    def holds(self, exporter: Exporter) -> frozenset[Trait]:
        """Traits of the train artifact that an exporter writes."""
        return self.traits | (self.legacy if exporter is Exporter.LEGACY else self.dynamo)


def _of(*traits: Trait) -> frozenset[Trait]:
    return frozenset(traits)


ARCHITECTURES = (
    Architecture(
        "transformer-encoder",
        "attention:transformer_encoder",
        "nn.TransformerEncoder; the dynamo exporter leaves out the dropout of its attention without a word",
        _of(Trait.OPERATORS),
        legacy=_of(Trait.INERT),
    ),
    Architecture(
        "gpt-decoder", "attention:gpt_decoder", "causal blocks, attention written out, tied head", _of(Trait.OPERATORS)
    ),
    Architecture(
        "vit-drop-path",
        "attention:vit_drop_path",
        "drop path by sample in timm's spelling; all its nn.Dropout have rate 0",
        _of(Trait.CHAINS),
    ),
    Architecture("bert", "attention:bert", "BertModel of transformers by configuration alone", _of(Trait.OPERATORS)),
    Architecture(
        "convnext", "convolutional:convnext", "drop path in torchvision's spelling, layer scale 1e-6", _of(Trait.CHAINS)
    ),
    Architecture(
        "convnext-shortcut",
        "convolutional:convnext_shortcut",
        "drop path by dropout of ones",
        _of(),
        legacy=_of(Trait.SPARED),
        dynamo=_of(Trait.FROZEN),
    ),
    Architecture(
        "efficientnet",
        "convolutional:efficientnet",
        "drop connect as floor(q + u) on x / q, BatchNorm, dropout before the head",
        _of(Trait.OPERATORS, Trait.CHAINS),
        legacy=_of(Trait.STATISTICS),
    ),
    Architecture("tcn", "convolutional:tcn", "weight-normed causal convolutions", _of(Trait.OPERATORS)),
    Architecture("wavenet", "convolutional:wavenet", "gates, residual and skip connections", _of(Trait.OPERATORS)),
    Architecture("seq2seq", "stochastic:seq2seq", "two GRU with attention, unrolled", _of(Trait.OPERATORS)),
    Architecture(
        "vae", "stochastic:vae", "samples in training, its mean in evaluation", _of(Trait.OPERATORS, Trait.NOISE)
    ),
    Architecture(
        "vae-sampling",
        "stochastic:vae_sampling",
        "samples in both modes",
        _of(Trait.OPERATORS, Trait.NOISE, Trait.SAMPLING),
    ),
    Architecture(
        "noisy-net", "stochastic:noisy_net", "a dueling network with noisy weights, no dropout", _of(Trait.NOISE)
    ),
)
