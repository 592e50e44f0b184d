"""One spelling by seed and number: drawn, measured, and labelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from dropaudit_evaluation.labels import Label
from dropaudit_evaluation.spellings.errors import Unfit
from dropaudit_evaluation.spellings.network.build import Built, build
from dropaudit_evaluation.spellings.network.plan import GraphPlan
from dropaudit_evaluation.spellings.pairs import inference_artifact
from dropaudit_evaluation.spellings.plans import draw_plan
from dropaudit_evaluation.spellings.truth import measure
from dropaudit_evaluation.spellings.verdicts import label_of


@dataclass(frozen=True, slots=True)
class Spelling:
    """A graph with the right answer.

    Attributes:
        model: its bytes.
        label: what an audit must say.
        features: productions and properties, `kind:name`, each once.
        inference: bytes of a pair's other artifact.
        inputs: what to run on; None where any data will do.
    """

    model: bytes
    label: Label
    features: tuple[str, ...]
    inference: bytes | None = None
    inputs: Mapping[str, NDArray[Any]] | None = field(default=None, compare=False)

    def write(self, folder: Path) -> None:
        """Write the file, or both files of a pair, and inputs, as the label names them."""
        (folder / self.label.file).write_bytes(self.model)
        if self.label.inference is not None and self.inference is not None:
            (folder / self.label.inference).write_bytes(self.inference)
        if self.label.inputs is not None and self.inputs is not None:
            np.savez(folder / self.label.inputs, allow_pickle=False, **self.inputs)


def spelling(seed: int, number: int) -> Spelling:
    """Draw spelling `number` of a seed: the same each time.

    Raises:
        Contradiction: the generator or its interpreter has a bug.
    """
    for attempt in count():
        try:
            return _attempt(np.random.default_rng((seed, number, attempt)), f"{seed}-{number:05}.onnx")
        except Unfit:
            continue
    raise AssertionError


def _attempt(rng: np.random.Generator, file: str) -> Spelling:
    plan = draw_plan(rng)
    built = build(plan, rng)
    truth = measure(built, rng)
    label = label_of(plan, truth, file)
    if truth.feeds is not None:
        label = msgspec.structs.replace(label, inputs=file.replace(".onnx", ".npz"))
    features = tuple(dict.fromkeys((*_properties(plan), *built.record)))
    return Spelling(built.model.SerializeToString(), label, features, _inference(plan, built), truth.feeds)


def _inference(plan: GraphPlan, built: Built) -> bytes | None:
    if plan.pair is None:
        return None
    content: bytes = inference_artifact(built.model, built.sites, plan.pair).SerializeToString()
    return content


def _properties(plan: GraphPlan) -> list[str]:
    sites = plan.sites
    seeds = {site.seed for site in sites}
    equality = "absent" if seeds == {None} else "equal" if len(seeds) == 1 and len(sites) > 1 else "different"
    return [
        f"role:{plan.role}",
        f"sites:{len(sites)}",
        f"seeds:{equality}",
        f"head:{plan.head}",
        *(f"pair:{plan.pair}" for _ in range(plan.pair is not None)),
        *("declared:apart" for _ in range(plan.declared is not None)),
        *(f"between:{plan.between}" for _ in sites[1:2]),
        *(f"law:{site.wish.law}" for site in sites),
        *(f"place:{site.place}" for site in sites),
        *(f"extent:{site.extent}" for site in sites),
        *(f"type:{site.element_type}" for site in sites),
    ]
