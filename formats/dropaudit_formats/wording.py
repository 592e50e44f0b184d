"""Plain words beside the names of the report."""

from __future__ import annotations

from dropaudit.report import Axis, Family, Implementation, Placement, Severity, Site, Stop, Verdict

VERDICTS = {
    Verdict.PASS: "nothing is wrong",
    Verdict.WARN: "something wants attention",
    Verdict.FAIL: "something is wrong",
    Verdict.INCONCLUSIVE: "a test was still undecided at the limit",
}
SEVERITIES = {
    Severity.ERROR: "is wrong",
    Severity.WARNING: "wants attention",
    Severity.INFO: "good to know",
}
PLACEMENTS = {
    Placement.INPUT: "on a model input",
    Placement.OUTPUT: "on what becomes a model output",
    Placement.BETWEEN_LAYERS: "between two recurrent layers",
    Placement.STATE_H: "on the recurrent state h",
    Placement.STATE_C: "on the memory c of an LSTM",
    Placement.WEIGHT: "on a weight",
    Placement.EMBEDDING: "on embeddings",
    Placement.HEAD: "between the last recurrent layer and the output",
}
IMPLEMENTATIONS = {
    Implementation.DROPOUT_OP: "the ONNX operator Dropout",
    Implementation.UNIFORM_CHAIN: "uniform draws against a threshold",
    Implementation.BERNOULLI: "the ONNX operator Bernoulli",
    Implementation.NORMAL: "normal draws",
    Implementation.MULTINOMIAL: "the ONNX operator Multinomial",
    Implementation.CONSTANT_MASK: "a mask frozen into a constant",
}
FAMILIES = {
    Family.INVERTED: "inverted dropout: what is kept is divided by the keep probability",
    Family.UNSCALED: "what is kept is left as it is",
    Family.ALPHA: "alpha dropout: keeps mean and variance",
    Family.GAUSSIAN: "multiplied by Gaussian noise",
    Family.OTHER: "none of the known forms",
}
AXES = {Axis.BATCH: "all rows of a batch", Axis.TIME: "all time steps", Axis.FEATURE: "all features"}
STOPS = {
    Stop.DECIDED: "stopped when every test had decided",
    Stop.EXHAUSTED: "stopped at the replicate limit",
}
SAMPLINGS = {
    "tiled": "many replicates in each run, side by side along the batch",
    "looped": "many replicates in each run, one after the other",
    "reseeded": "one replicate a run, each with a seed of its own",
    "recorded": "recorded outputs; no model was run",
}


def nature(site: Site) -> list[tuple[str, str]]:
    """Return what is known of a site in words, each with its name in the report."""
    found = []
    if site.placement is not Placement.UNKNOWN:
        found.append((PLACEMENTS[site.placement], site.placement.value))
    if site.implementation is not None:
        found.append((IMPLEMENTATIONS[site.implementation], site.implementation.value))
    # A family shows only in measurements.
    if site.scale is not None:
        found.append((FAMILIES[site.family], site.family.value))
    found += [(f"one mask for {AXES[axis]}", axis.value) for axis in site.shared_over]
    return found


def activity(active: bool | None) -> str:
    """Return what a default session of the runtime does with a site."""
    return {None: "", True: "kept by a default session", False: "removed by a default session"}[active]
