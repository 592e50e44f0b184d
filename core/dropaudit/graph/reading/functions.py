"""A pass that puts the bodies of a model's functions where they are called, by the runtime's own rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import onnx

from dropaudit.errors import InvalidModel
from dropaudit.graph.reading.messages import bodies, every_node

Name = tuple[str, str, str]
Attributes = Mapping[str, onnx.AttributeProto]

# A function with an operator's name would be one to some and the operator to others.
_OPERATOR_DOMAINS = ("ai.onnx.", "com.microsoft.", "com.ms.")


def function_name(of: onnx.FunctionProto | onnx.NodeProto) -> Name:
    """Return what a function is called by: domain, name and overload."""
    name = of.name if isinstance(of, onnx.FunctionProto) else of.op_type
    # The overload is younger than the oldest onnx.
    return (_plain_domain(of.domain), name, getattr(of, "overload", ""))


def without_functions(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy in which no function is called any more.

        y = me.f <alpha = 0.2> (x)      becomes      t = LeakyRelu <alpha = 0.2> (x) ; y = Neg(t)

    As in the runtime, the operators of a body are those of the model's operator set, whatever set the function names,
    and an attribute that a call leaves out has the function's default.

    Raises:
        InvalidModel: a function cannot be expanded; the error names it.
    """
    _check_names(model)
    expanded = _with_attributes_filled_in(_with_the_models_operators(model))
    # Imported here: few models hold functions.
    from onnx import checker, inliner

    try:
        expanded = inliner.inline_local_functions(expanded)
    except (RuntimeError, ValueError, checker.ValidationError) as error:
        raise InvalidModel(f"the model's functions cannot be expanded: {_first_line(error)}") from error
    _check_none_is_left(model, expanded)
    return expanded


def _check_names(model: onnx.ModelProto) -> None:
    names = [function_name(function) for function in model.functions]
    for name in names:
        if name[0] in ("", "com.microsoft") or name[0].startswith(_OPERATOR_DOMAINS):
            raise InvalidModel(
                f"function {name[1]!r} lies in {name[0] or 'ai.onnx'!r}, the domain of operators; give functions a "
                "domain of their own"
            )
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice:
        raise InvalidModel(f"there are two functions {twice[1]!r} in the domain {twice[0]!r}")


def _with_the_models_operators(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy in which functions name the versions of operator sets that the model names."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    versions = {_plain_domain(entry.domain): entry.version for entry in model.opset_import}
    for function in copy.functions:
        for entry in function.opset_import:
            entry.version = versions.get(_plain_domain(entry.domain), entry.version)
    return copy


def _with_attributes_filled_in(model: onnx.ModelProto) -> onnx.ModelProto:
    """Change a model so that no function has attributes: each way to call one becomes a function of its own."""
    if any(function.attribute or function.attribute_proto for function in model.functions):
        variants = _Variants(model.functions)
        variants.call(model.graph.node, {})
        del model.functions[:]
        model.functions.extend(variants.made.values())
    return model


class _Variants:
    """Functions as they are called: with the attributes of each call in the place of references to them."""

    def __init__(self, functions: Iterable[onnx.FunctionProto]) -> None:
        self._functions = {function_name(function): function for function in functions}
        self.made: dict[tuple[Name, bytes], onnx.FunctionProto] = {}

    def call(self, nodes: Iterable[onnx.NodeProto], given: Attributes) -> None:
        """Fill in operators of a body, and have them call variants; `given` is what the body was called with."""
        for node in nodes:
            _fill_in(node, given)
            for body in bodies(node):
                self.call(body.node, given)
            self._name(node)

    def _name(self, node: onnx.NodeProto) -> None:
        function = self._functions.get(function_name(node))
        if function is not None:
            node.op_type = self._variant(function, node).name
            del node.attribute[:]

    def _variant(self, function: onnx.FunctionProto, node: onnx.NodeProto) -> onnx.FunctionProto:
        declared = {*function.attribute, *(default.name for default in function.attribute_proto)}
        given = {default.name: default for default in function.attribute_proto}
        given |= {attribute.name: attribute for attribute in node.attribute if attribute.name in declared}
        content = b"".join(given[name].SerializeToString(deterministic=True) for name in sorted(given))
        key = (function_name(function), content)
        if key not in self.made:
            variant = onnx.FunctionProto()
            variant.CopyFrom(function)
            variant.name = f"{function.name}__called_{len(self.made)}"
            del variant.attribute[:]
            del variant.attribute_proto[:]
            self.made[key] = variant
            self.call(variant.node, given)
        return self.made[key]


def _fill_in(node: onnx.NodeProto, given: Attributes) -> None:
    """Put values in the place of references to attributes; one that has no value is as if it were not there."""
    kept = list(_filled_in(node, given))
    if len(kept) < len(node.attribute) or any(attribute.ref_attr_name for attribute in node.attribute):
        del node.attribute[:]
        node.attribute.extend(kept)


def _filled_in(node: onnx.NodeProto, given: Attributes) -> Iterator[onnx.AttributeProto]:
    for attribute in node.attribute:
        if not attribute.ref_attr_name:
            yield attribute
        elif attribute.ref_attr_name in given:
            value = onnx.AttributeProto()
            value.CopyFrom(given[attribute.ref_attr_name])
            value.name = attribute.name
            yield value


def _check_none_is_left(model: onnx.ModelProto, expanded: onnx.ModelProto) -> None:
    names = {function_name(function) for function in (*model.functions, *expanded.functions)}
    left = next((node.op_type for node in every_node(expanded) if function_name(node) in names), None)
    if left is not None or expanded.functions:
        name = left or expanded.functions[0].name
        raise InvalidModel(f"function {name!r} cannot be expanded where it is called")


def _plain_domain(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
