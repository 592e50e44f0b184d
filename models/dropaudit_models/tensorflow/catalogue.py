"""The TensorFlow models by name, with the answers that their audits must give. Needs no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dropaudit.plan import Role
from dropaudit.report import Family, Placement, Verdict

PASS, WARN = Verdict.PASS, Verdict.WARN
WRAPPED = "tf.compat.v1 LSTMCell, DropoutWrapper and dynamic_rnn"
KERAS = "tf-keras"


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorFlowModel:
    """A model that `python -m dropaudit_models.tensorflow` exports.

    Attributes:
        says: what it is made of, and where its dropout sits.
        options: of DropoutWrapper, or of tf_keras.layers.LSTM.
        steps: length of its sequences.
        after: drop rate of a Dropout layer on the output.
        seeded: whether the seeds that tf2onnx writes stay.
        rate: drop rate of its sites.
        verdicts, codes, not_codes: what the audit must say, as in a corpus.
    """

    name: str
    says: str
    rate: float
    verdicts: tuple[Verdict, ...]
    options: dict[str, Any]
    keras: bool = False
    steps: int = 6
    after: float = 0.0
    seeded: bool = False
    role: Role = Role.TRAIN
    codes: tuple[str, ...] = ()
    not_codes: tuple[str, ...] = ("DA102", "DA301", "DA302", "DA303", "DA401", "DA406")
    placement: Placement | None = None
    family: Family | None = None

    def row(self) -> dict[str, Any]:
        """Return its row of a corpus's labels.json."""
        optional = {"placement": self.placement, "family": self.family}
        return {
            "file": f"{self.name}.onnx",
            "framework": "tf-keras 2.21 / tf 2.21",
            "exporter": "tf2onnx 1.17",
            "dropout": self.says,
            "rate": self.rate,
            "role": str(self.role),
            "verdict": [str(verdict) for verdict in self.verdicts],
            "codes": list(self.codes),
            "not_codes": list(self.not_codes),
            "no_errors": True,
            **{key: str(value) for key, value in optional.items() if value is not None},
        }


TENSORFLOW_MODELS = (
    TensorFlowModel(
        name="seed-case",
        says=f"{WRAPPED}, output_keep_prob .5, as in the question; outputs without and with dropout",
        options={"output_keep_prob": 0.5},
        steps=1,
        rate=0.5,
        verdicts=(PASS,),
        placement=Placement.OUTPUT,
        family=Family.INVERTED,
    ),
    TensorFlowModel(
        name="seed-case-as-written",
        says=f"{WRAPPED}, output_keep_prob .5, with the seed 0 that tf2onnx gives unseeded operators",
        options={"output_keep_prob": 0.5},
        steps=1,
        seeded=True,
        rate=0.5,
        verdicts=(WARN,),
        codes=("DA406",),
        not_codes=("DA102", "DA301", "DA302", "DA303", "DA401"),
    ),
    TensorFlowModel(
        name="wrapper-output",
        says=f"{WRAPPED}, output_keep_prob .6",
        options={"output_keep_prob": 0.6},
        rate=0.4,
        verdicts=(PASS,),
        placement=Placement.OUTPUT,
        family=Family.INVERTED,
    ),
    TensorFlowModel(
        name="wrapper-input",
        says=f"{WRAPPED}, input_keep_prob .7",
        options={"input_keep_prob": 0.7},
        rate=0.3,
        verdicts=(PASS, WARN),
        placement=Placement.INPUT,
        family=Family.INVERTED,
    ),
    TensorFlowModel(
        name="wrapper-state",
        says=f"{WRAPPED}, state_keep_prob .7: hits h, never c",
        options={"state_keep_prob": 0.7},
        rate=0.3,
        verdicts=(PASS, WARN),
        not_codes=("DA102", "DA301", "DA302", "DA303", "DA401", "DA406", "DA407"),
        placement=Placement.STATE_H,
        family=Family.INVERTED,
    ),
    TensorFlowModel(
        name="wrapper-variational",
        says=f"{WRAPPED}, output_keep_prob and state_keep_prob .7, variational_recurrent: masks of shape (1, units)",
        options={"output_keep_prob": 0.7, "state_keep_prob": 0.7, "variational_recurrent": True},
        rate=0.3,
        verdicts=(WARN,),
        codes=("DA402",),
    ),
    TensorFlowModel(
        name="wrapper-variational-as-written",
        says=f"{WRAPPED}, the same; tf2onnx makes one mask of the two, with the seed 0",
        options={"output_keep_prob": 0.7, "state_keep_prob": 0.7, "variational_recurrent": True},
        seeded=True,
        rate=0.3,
        verdicts=(WARN,),
        codes=("DA402", "DA404", "DA406"),
        not_codes=("DA102", "DA301", "DA302", "DA303", "DA401"),
    ),
    TensorFlowModel(
        name="keras-dropout",
        says=f"{KERAS} LSTM(dropout=.3): one mask on the input for all time steps",
        keras=True,
        options={"dropout": 0.3},
        rate=0.3,
        verdicts=(PASS, WARN),
        codes=("DA403",),
        placement=Placement.INPUT,
        family=Family.INVERTED,
    ),
    TensorFlowModel(
        name="keras-recurrent-dropout",
        says=f"{KERAS} LSTM(recurrent_dropout=.3): one mask on h for all time steps",
        keras=True,
        options={"recurrent_dropout": 0.3},
        rate=0.3,
        verdicts=(PASS, WARN),
        codes=("DA403",),
        not_codes=("DA102", "DA301", "DA302", "DA303", "DA401", "DA406", "DA407"),
        placement=Placement.STATE_H,
        family=Family.INVERTED,
    ),
    TensorFlowModel(
        name="keras-output",
        says=f"{KERAS} LSTM, Dropout(.4) on its output",
        keras=True,
        options={},
        after=0.4,
        rate=0.4,
        verdicts=(PASS,),
        placement=Placement.OUTPUT,
        family=Family.INVERTED,
    ),
    TensorFlowModel(
        name="keras-inference",
        says=f"{KERAS} LSTM(dropout=.3, recurrent_dropout=.3), Dropout(.4), in inference mode",
        keras=True,
        options={"dropout": 0.3, "recurrent_dropout": 0.3},
        after=0.4,
        rate=0.4,
        role=Role.INFERENCE,
        verdicts=(PASS,),
        not_codes=("DA103", "DA104", "DA401"),
    ),
)
