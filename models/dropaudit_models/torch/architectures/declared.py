"""Expected verdicts of each artifact and pair, derived from the artifact's traits. Does not need PyTorch."""

from __future__ import annotations

from dropaudit.plan import Role
from dropaudit_models.specimens.kind import FAIL, PASS, WARN, Answer
from dropaudit_models.torch.architectures.catalogue import Architecture, Exporter, Mode, Trait

Traits = frozenset[Trait]
# Nothing in any of these networks is one of them.
_NEVER = frozenset(
    {"DA201", "DA202", "DA203", "DA301", "DA302", "DA303", "DA304", "DA402", "DA404", "DA406", "DA407", "DA501"}
    | {"DA504", "DA901"}
)
_SITES = frozenset({Trait.OPERATORS, Trait.SPARED, Trait.CHAINS})
_BOUND_TO = {
    "DA101": Trait.INERT,
    "DA102": Trait.OPERATORS,
    "DA106": Trait.NOISE,
    "DA401": Trait.FROZEN,
    "DA502": Trait.STATISTICS,
}


def declared(architecture: Architecture, exporter: Exporter, mode: Mode, role: Role) -> Answer:
    """Return the answer for one artifact, audited by itself on inputs that the audit makes up."""
    traits = architecture.holds(exporter)
    if mode is Mode.EVAL:
        return _evaluated(Trait.SAMPLING in traits, role)
    return _served(traits) if role is Role.INFERENCE else _trained(traits, role)


def declared_pair(architecture: Architecture, exporter: Exporter) -> Answer:
    """Return the answer for the train artifact with the evaluation artifact of the same exporter."""
    traits = architecture.holds(exporter)
    alone = _trained(traits, Role.TRAIN)
    if Trait.SAMPLING not in traits:
        return alone
    return Answer(
        verdicts=(FAIL,),
        codes=alone.codes | {"DA104"},
        not_codes=alone.not_codes - {"DA104"},
    )


def _trained(traits: Traits, role: Role) -> Answer:
    """Judge a train artifact as one that is to train, or (auto) as it is."""
    found = {code for code, trait in _BOUND_TO.items() if trait in traits}
    if role is Role.AUTO:
        found -= {"DA101"}
    never = _NEVER | {"DA103", "DA104"} | ({*_BOUND_TO} - found)
    if Trait.FROZEN not in traits:
        never |= {"DA105"}
    if Trait.NOISE in traits:
        never |= {"DA305"}
    failing = bool(found & {"DA101", "DA401"})
    # DA102 is a warning where the artifact is to train, and a remark in role auto.
    warning = bool(found & ({"DA106", "DA502"} | ({"DA102"} if role is Role.TRAIN else set())))
    return Answer(
        verdicts=(FAIL,) if failing else (WARN,) if warning else (PASS,),
        codes=frozenset(found),
        not_codes=frozenset(never),
        no_errors=not failing,
    )


def _served(traits: Traits) -> Answer:
    """Judge a train artifact as one that is served, which it must not be."""
    if Trait.FROZEN in traits:
        return Answer(verdicts=(FAIL,), codes=frozenset({"DA401"}), not_codes=frozenset({"DA103", "DA104", "DA105"}))
    found = ({"DA103"} if traits & _SITES else set()) | ({"DA104"} if Trait.NOISE in traits else set())
    never = {"DA101", "DA103", "DA104", "DA105", "DA106", "DA401"} - found
    return Answer(verdicts=(FAIL,), codes=frozenset(found), not_codes=frozenset(never))


def _evaluated(sampling: bool, role: Role) -> Answer:
    """Judge an artifact in evaluation mode, where every Dropout is gone."""
    if sampling:
        return _sampled(role)
    never = _NEVER | {"DA101", "DA102", "DA103", "DA104", "DA106", "DA107", "DA401", "DA502"}
    if role is Role.INFERENCE:
        return Answer(verdicts=(PASS,), not_codes=never | {"DA105"}, no_errors=True)
    return Answer(
        verdicts=(FAIL,) if role is Role.TRAIN else (WARN,), codes=frozenset({"DA105"}), not_codes=frozenset(never)
    )


def _sampled(role: Role) -> Answer:
    """Judge an artifact in evaluation mode whose one random operator draws a sample."""
    never = _NEVER | {"DA101", "DA102", "DA103", "DA105", "DA107", "DA401", "DA502"}
    if role is Role.INFERENCE:
        return Answer(verdicts=(FAIL,), codes=frozenset({"DA104"}), not_codes=never | {"DA106"})
    return Answer(verdicts=(WARN,), codes=frozenset({"DA106"}), not_codes=never | {"DA104", "DA305"}, no_errors=True)
