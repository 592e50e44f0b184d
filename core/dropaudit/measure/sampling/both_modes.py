"""One session for the reference and for trials, where Dropout operators alone tell the modes of a model apart."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import numpy as np
import onnx
from msgspec.structs import replace
from onnx import helper

from dropaudit.graph.passes.mode_input import switched_operators
from dropaudit.graph.site import GraphSite, Switch
from dropaudit.measure.case import Model
from dropaudit.measure.sampling.modes import OneMode, in_both_modes
from dropaudit.measure.sampling.probes import Probes, measured_model, names_of, probe
from dropaudit.measure.sampling.stochastic_part import Opened, opened
from dropaudit.runtime.provider import Device


class Shared(msgspec.Struct, frozen=True):
    """The measured model, opened before its outputs are known, in a session that runs it in either mode.

    Attributes:
        operators: the Dropout operators that are switched.
        outputs: the floating-point outputs, as declared.
        probed: the model with the tensors around its sites readable.
        probes: by measured site.
        whole: the same with its frontier readable.
        bypassed: runs with every site bypassed, which return the model's own outputs.
        train: runs with every site on.
    """

    operators: frozenset[str]
    outputs: tuple[str, ...]
    probed: onnx.ModelProto
    probes: Probes
    whole: Opened
    bypassed: OneMode
    train: OneMode


def shared_session(
    model: Model,
    silent: onnx.ModelProto,
    measured: tuple[GraphSite, ...],
    left_out: Collection[str],
    place: Device,
    seeds: np.random.Generator,
) -> Shared | None:
    """Load a model once for both modes; None where more than the mode of Dropout operators tells them apart.

    Args:
        model: the model whose sites are measured.
        silent: the same without its randomness.
        measured: sites whose surroundings are read.
        left_out: outputs that are not compared.
        place: where to run.
        seeds: source of the runtime's seeds.

    Raises:
        InvalidModel: the runtime refuses the model.
    """
    if any(site.switch is not Switch.ON for site in model.active):
        return None
    train = measured_model(model.proto)
    operators = switched_operators(train, silent)
    if not operators:
        return None
    outputs = tuple(name for name in _float_outputs(model.proto) if name not in left_out)
    probed, probes = probe(train, measured)
    whole = opened(probed, (*outputs, *names_of(probes)))
    if whole.cuts_bodies:
        # The runtime may refuse to return what lies in a body.
        return None
    modes = in_both_modes(whole.model, operators, place, seeds)
    own = tuple(value.name for value in model.proto.graph.output)
    return Shared(operators, outputs, probed, probes, whole, replace(modes.silent, output_names=own), modes.train)


def _float_outputs(model: onnx.ModelProto) -> list[str]:
    declared = ((value.name, value.type.tensor_type.elem_type) for value in model.graph.output)
    return [name for name, kind in declared if kind and helper.tensor_dtype_to_np_dtype(kind).kind == "f"]
