"""The transformer of BERT's kind that MiniLM is, written down as an ONNX graph. Pure; knows onnx and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 20
"""The first that knows Gelu."""
_IR = 9
_EPSILON = 1e-12
_MASKED = -1e4
"""Added to the score of a place that holds no word."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the weights' own sizes do not tell: numbers of layers and of attention heads."""

    layers: int
    heads: int


def graph_of(weights: Mapping[str, NDArray[np.float32]], shape: Shape) -> ModelProto:
    """The whole model: ``input_ids`` and ``attention_mask`` (int64, batch × tokens) to ``embedding`` of unit length.

    Args:
        weights: By their names in the published file.
        shape: Layers and heads.

    Raises:
        KeyError: A weight is missing.
    """
    graph = _Graph(weights, shape.heads)
    hidden = graph.embedded()
    for layer in range(shape.layers):
        hidden = graph.layer(hidden, f"encoder.layer.{layer}.")
    graph.pooled(hidden)
    return graph.model()


class _Graph:
    """Nodes and constants as they are added; each method returns the name of what it computes."""

    def __init__(self, weights: Mapping[str, NDArray[np.float32]], heads: int) -> None:
        import onnx  # noqa: PLC0415  (needed once in a lifetime)

        self._onnx: Any = onnx
        self._weights = weights
        self._heads = heads
        self._size = weights["embeddings.LayerNorm.weight"].shape[0]
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._absent = self._penalty()

    def embedded(self) -> str:
        """Words, places and the one kind of token."""
        places = self._weights["embeddings.position_embeddings.weight"]
        table = places + self._weights["embeddings.token_type_embeddings.weight"][0]
        words = self._add("Gather", self._weight("embeddings.word_embeddings.weight"), "input_ids")
        length = self._add("Shape", "input_ids", start=1, end=2)
        used = self._add("Slice", self._constant("places", table), self._ints([0]), length, self._ints([0]))
        return self._normed(self._add("Add", words, used), "embeddings.LayerNorm.")

    def layer(self, hidden: str, at: str) -> str:
        """Attention, then the two dense layers, each added to what went in."""
        attended = self._dense(self._attention(hidden, f"{at}attention.self."), f"{at}attention.output.dense.")
        hidden = self._normed(self._add("Add", attended, hidden), f"{at}attention.output.LayerNorm.")
        inner = self._add("Gelu", self._dense(hidden, f"{at}intermediate.dense."))
        outer = self._dense(inner, f"{at}output.dense.")
        return self._normed(self._add("Add", outer, hidden), f"{at}output.LayerNorm.")

    def pooled(self, hidden: str) -> None:
        """The mean over the words that are there, brought to unit length."""
        mask = self._add("Unsqueeze", self._floats_of("attention_mask"), self._ints([2]))
        total = self._add("ReduceSum", self._add("Mul", hidden, mask), self._ints([1]), keepdims=0)
        # The mean differs from the sum by its length alone.
        self._add("LpNormalization", total, into="embedding", axis=1, p=2)

    def model(self) -> ModelProto:
        """What was added, as a model."""
        onnx, helper = self._onnx, self._onnx.helper
        ids, reals = onnx.TensorProto.INT64, onnx.TensorProto.FLOAT
        inputs = [
            helper.make_tensor_value_info(name, ids, ["batch", "tokens"]) for name in ("input_ids", "attention_mask")
        ]
        output = helper.make_tensor_value_info("embedding", reals, ["batch", self._size])
        graph = helper.make_graph(self._nodes, "minilm", inputs, [output], list(self._constants.values()))
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=_IR)

    def _attention(self, hidden: str, at: str) -> str:
        query, key, value = (self._dense(hidden, f"{at}{part}.") for part in ("query", "key", "value"))
        # On the query, which is smaller than the scores.
        query = self._add("Mul", query, self._constant("scale", np.float32((self._size // self._heads) ** -0.5)))
        scores = self._add("MatMul", self._split(query, (0, 2, 1, 3)), self._split(key, (0, 2, 3, 1)))
        scores = self._add("Add", scores, self._absent)
        mixed = self._add("MatMul", self._add("Softmax", scores, axis=-1), self._split(value, (0, 2, 1, 3)))
        joined = self._add("Transpose", mixed, perm=[0, 2, 1, 3])
        return self._add("Reshape", joined, self._ints([0, 0, self._size]))

    def _split(self, hidden: str, order: tuple[int, int, int, int]) -> str:
        sizes = self._ints([0, 0, self._heads, self._size // self._heads])
        return self._add("Transpose", self._add("Reshape", hidden, sizes), perm=list(order))

    def _penalty(self) -> str:
        """What is added to the scores: nothing for a word, much less for no word."""
        wide = self._add("Unsqueeze", self._floats_of("attention_mask"), self._ints([1, 2]))
        absent = self._add("Sub", self._constant("one", np.float32(1)), wide)
        return self._add("Mul", absent, self._constant("masked", np.float32(_MASKED)))

    def _floats_of(self, name: str) -> str:
        return self._add("Cast", name, to=self._onnx.TensorProto.FLOAT)

    def _dense(self, hidden: str, at: str) -> str:
        matrix = self._constant(f"{at}weight", np.ascontiguousarray(self._weights[f"{at}weight"].T))
        return self._add("Add", self._add("MatMul", hidden, matrix), self._weight(f"{at}bias"))

    def _normed(self, hidden: str, at: str) -> str:
        parts = (hidden, self._weight(f"{at}weight"), self._weight(f"{at}bias"))
        return self._add("LayerNormalization", *parts, axis=-1, epsilon=_EPSILON)

    def _add(self, kind: str, *inputs: str, into: str = "", **attributes: Any) -> str:
        name = into or f"{kind}_{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def _weight(self, name: str) -> str:
        return self._constant(name, self._weights[name])

    def _ints(self, values: list[int]) -> str:
        return self._constant(f"ints{values}", np.array(values, np.int64))

    def _constant(self, name: str, value: Any) -> str:
        if name not in self._constants:
            self._constants[name] = self._onnx.numpy_helper.from_array(np.asarray(value), name)
        return name
