"""The ready-made PyTorch models by name. Needs no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

from dropaudit.report import Verdict

PASS, WARN, FAIL = Verdict.PASS, Verdict.WARN, Verdict.FAIL


@dataclass(frozen=True, slots=True)
class TorchModel:
    """A module of `dropaudit_models.torch.ready_made` and what the audit of its pair must say.

    Attributes:
        factory: name of the function that makes the module and its example.
        verdicts: any of these.
        codes: findings that must be there.
    """

    name: str
    factory: str
    says: str
    verdicts: tuple[Verdict, ...]
    codes: tuple[str, ...] = ()


TORCH_MODELS = (
    TorchModel("lstm-output", "lstm_output", "nn.LSTM, nn.Dropout on its output", (PASS,)),
    TorchModel("lstm-input", "lstm_input", "nn.Dropout on the input of nn.LSTM", (PASS, WARN)),
    TorchModel("lstm-stacked", "lstm_stacked", "nn.LSTM with three layers and dropout between", (WARN,), ("DA102",)),
    TorchModel(
        "lstm-bidirectional",
        "lstm_bidirectional",
        "two layers in two directions, dropout between",
        (WARN,),
        ("DA102",),
    ),
    TorchModel("lstm-locked", "lstm_locked", "one mask for all time steps of an example", (PASS,), ("DA403",)),
    TorchModel("lstm-variational", "lstm_variational", "one mask for batch and time", (WARN,), ("DA402", "DA403")),
    TorchModel("lstm-weight-drop", "lstm_weight_drop", "AWD-LSTM: dropout on the recurrent weights", (PASS, WARN)),
    TorchModel("lstm-embedding", "lstm_embedding", "AWD-LSTM: whole rows of the embedding dropped", (PASS, WARN)),
    TorchModel("lstm-alpha", "lstm_alpha", "nn.AlphaDropout on the output", (PASS, WARN)),
    TorchModel("lstm-channels", "lstm_channels", "nn.Dropout1d on the output", (PASS,), ("DA403",)),
    TorchModel("gru", "gru", "nn.GRU, nn.Dropout on its output", (PASS,)),
    TorchModel("gru-stacked", "gru_stacked", "nn.GRU with two layers and dropout between", (WARN,), ("DA102",)),
    TorchModel("rnn", "rnn", "nn.RNN, nn.Dropout on its output", (PASS,)),
    TorchModel("classifier", "classifier", "a trained classifier, dropout before its head", (WARN,), ("DA102",)),
    TorchModel("lstm-always-on", "lstm_always_on", "a bug: F.dropout without training=", (FAIL,), ("DA103",)),
    TorchModel("lstm-unscaled", "lstm_unscaled", "a bug: a mask without the division", (FAIL,), ("DA301",)),
)
