"""Claims about the words of findings about a whole model, from evidence made by hand: exactly like their golden file.

Where several sites, operators or pairs are named in one sentence, one, two and more than are listed are here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dropaudit.judge.mask_findings import judge_correlation, judge_masks, judge_stacked
from dropaudit.judge.mode_findings import judge_frozen, judge_inference, judge_reference, judge_removed
from dropaudit.judge.output_findings import judge_outputs
from dropaudit.judge.presence_findings import judge_presence
from dropaudit.measure.branches.taken import UnseenBranch
from dropaudit.measure.case import Model
from dropaudit.measure.cases.reference import Reference
from dropaudit.measure.finding.linked_masks import LinkedMasks
from dropaudit.measure.prepare import Prepared
from dropaudit.measure.sampling.sequential_loop import Meters
from dropaudit.plan import Plan, Role
from dropaudit.report import Attribution, Axis, Placement
from support.golden import Golden
from support.judgements import said
from support.made_evidence import (
    evidence,
    model,
    operators,
    output_meter,
    parsed,
    prepared,
    pruned_product,
    reference,
    site,
)

FILE = Path(__file__).parent / "model_judgements.txt"
RATE = "float r = {0.25}, float p = {0.5}, bool t = {1}, bool off = {0}, float zero = {0.0}"
FROZEN = ", ".join(str(value) for value in (0, 2, 0, 2, 2, 2, 0, 0, 2, 0, 2, 2, 0, 2, 0, 2))
NOTHING = reference()
A, B, C = site("a"), site("b"), site("c")


def dropouts(rate: str = "r", switch: str = "t", count: int = 1) -> str:
    """Return so many Dropout operators, with a Neg behind each."""
    steps = (f"d{i} = Dropout(h{i}, {rate}, {switch})  h{i + 1} = Neg(d{i})" for i in range(count))
    return f"<{RATE}> {{ h0 = Neg(x)  {'  '.join(steps)}  y = Neg(h{count}) }}"


def dead(count: int) -> str:
    """Return so many Dropout operators that nobody reads."""
    steps = (f"d{i} = Dropout(x, r, t)" for i in range(count))
    return f"<{RATE}> {{ {'  '.join(steps)}  y = Neg(x) }}"


def presence(body: str, known: Reference = NOTHING, role: Role = Role.TRAIN) -> str:
    return said(judge_presence(model(parsed(body), role), known))


def unseen(*operators: str) -> str:
    branch = UnseenBranch("if", "then_branch", operators)
    return said(judge_presence(model(parsed(dropouts()), unseen=(branch,)), NOTHING))


def served(body: str) -> str:
    return said(judge_inference(model(parsed(body), Role.INFERENCE)))


def removed(role: Role, count: int, *surviving: str) -> str:
    return said(judge_removed(model(parsed(dropouts(count=count)), role, surviving=surviving)))


def at_inference(known: Reference, role: Role = Role.INFERENCE) -> str:
    return said(judge_reference(evidence(model(parsed(dropouts()), role), prepared()).case, known))


def masks(ready: Prepared, of: Model | None = None) -> str:
    return said(judge_masks(of or model(parsed(dropouts()), sites=(A, B, C)), ready))


def stacked(*, is_one_mask: bool, rates: tuple[str, str] = ("r", "p")) -> str:
    first, second = rates
    nodes = f"k = ReduceMean<keepdims = 0>(x)  d = Dropout(x, {first}, t)  e = Identity(d)  y = Dropout(e, {second}, t)"
    of = model(parsed(f"<{RATE}> {{ {nodes} }}"))
    one, other = of.sites
    decided = ((one, other),) if is_one_mask else ()
    return said(judge_stacked(of, LinkedMasks(decided, decided), {one: 0.75, other: 1.0}))


def output(*factors: float, linear: bool = True, runs: int = 1000, causes: tuple[Attribution, ...] = ()) -> str:
    meter = output_meter(factors, runs=runs)
    meters = Meters([], [(meter, "y")], frozenset({"y"}))
    return said(judge_outputs(meters, {"y": linear}, {"y": causes} if causes else {}, Plan()))


def cause(name: str, gap: float) -> Attribution:
    return Attribution(site=name, mean_gap_alone=gap, mean_gap_without=0.0, variance_alone=0.0, variance_without=0.0)


def about_presence() -> dict[str, str]:
    """Return what is said of sites that cannot drop, that reach nothing, and of other randomness."""
    two_rates = f"<{RATE}> {{ d = Dropout(x, r, off)  h = Neg(d)  y = Dropout(h, p, off) }}"
    return {
        "a site that never drops": presence(dropouts(switch="off")),
        "two sites that never drop": presence(dropouts(switch="off", count=2)),
        "two sites that never drop, at two rates": presence(two_rates),
        "six sites that never drop": presence(dropouts(switch="off", count=6)),
        "no dropout": presence("{ y = Neg(x) }"),
        "no dropout, in role auto": presence("{ y = Neg(x) }", role=Role.AUTO),
        "a rate of zero": presence(dropouts("zero")),
        "five rates of zero": presence(dropouts("zero", count=5)),
        "no train mode, in role auto": presence(dropouts(switch="off"), role=Role.AUTO),
        "a dead site": presence(dead(1)),
        "two dead sites": presence(dead(2)),
        "a random operator": presence(dropouts(), reference(other=operators("noise"))),
        "two random operators": presence(dropouts(), reference(other=operators("n1", "n2", outputs=("z", "y")))),
        "five random operators": presence(dropouts(), reference(other=operators("n1", "n2", "n3", "n4", "n5"))),
        "an unseen branch": unseen("noise"),
        "an unseen branch of five draws": unseen("n1", "n2", "n3", "n4", "n5"),
    }


def about_modes() -> dict[str, str]:
    """Return what is said of inference, of frozen masks and of a default session."""
    two_rates = f"<{RATE}> {{ d = Dropout(x, r, t)  h = Neg(d)  y = Dropout(h, p, t) }}"
    weights = "<float[16] m = {" + FROZEN + "}> { y = Mul(x, m) }"
    differing = reference(unstable=("y", "z"), served_other=operators("noise"))
    agreeing = reference(served_other=operators("noise"))
    return {
        "a frozen mask": said(judge_frozen(model(parsed(weights)))),
        "a frozen mask in a weight": said(judge_frozen(model(pruned_product()))),
        "still drops": served(dropouts()),
        "two still drop": served(dropouts(count=2)),
        "two still drop, at two rates": served(two_rates),
        "all removed": removed(Role.TRAIN, 2),
        "all removed, in role auto": removed(Role.AUTO, 2),
        "a part removed": removed(Role.TRAIN, 2, "Dropout_1"),
        "inference differs from run to run": at_inference(differing),
        "inference agrees though it draws": at_inference(agreeing),
        "inference differs, and nothing draws": at_inference(reference(unstable=("y",))),
        "train mode without its sites differs": at_inference(reference(unstable=("z", "y")), Role.TRAIN),
        "inference is not finite": at_inference(reference({"y": np.array([1.0, np.inf, np.nan])})),
    }


def about_masks() -> dict[str, str]:
    """Return what is said of masks that are compared, and of where they lie."""
    memory = site("memory", placement=Placement.STATE_C)
    labelled = {"a.after": (Axis.BATCH, Axis.TIME)}
    pairs = ((A, B), (A, C), (B, C))
    return {
        "a mask that a runtime repeats": masks(prepared(A, frozen=(A,))),
        "a mask shared over batch and time": masks(prepared(A, shared={A: (0, 1)}, labels=labelled)),
        "a pair of equal masks": masks(prepared(A, B, identical=((A, B),))),
        "two pairs of equal masks": masks(prepared(A, B, C, decided=((A, B),), identical=((A, B), (B, C)))),
        "three pairs of equal masks": masks(prepared(A, B, C, identical=pairs)),
        "a mask of a seed": masks(prepared(A, replayed=(A,))),
        "dropout on a memory": masks(prepared(), model(parsed("{ y = Neg(x) }"), sites=(memory,))),
        "correlated runs": said(judge_correlation(model(parsed(dropouts(count=2))), 3.14)),
        "stacked sites": stacked(is_one_mask=False),
        "stacked sites of unknown rate": stacked(is_one_mask=False, rates=("r", "k")),
        "stacked sites of one mask, compensated twice": stacked(is_one_mask=True),
    }


def about_outputs() -> dict[str, str]:
    """Return what is said of the mean of an output."""
    return {
        "the mean moves": output(1.2, 1.4),
        "the mean moves behind a non-linear operator": output(0.5, 0.7, linear=False),
        "one of two sites moves the mean": output(1.2, 1.4, causes=(cause("a", -0.4), cause("b", 0.3))),
        "an open mean": output(0.0, 2.0),
        "too few replicates": output(0.9, 1.1, runs=63),
        "a reference of rounding errors": output(1e6, -1e6),
    }


def test_findings_about_a_model_are_worded_like_their_golden_file(golden: Golden) -> None:
    found = about_presence() | about_modes() | about_masks() | about_outputs()
    golden.check(FILE, "\n\n".join(f"# {name}\n{text}" for name, text in found.items()) + "\n")
