"""A package with a transformer of two layers and random weights, and what it computes, written down in numpy."""

import json
import math
import struct
import zipfile

import numpy as np

LAYERS, HEADS, SIZE, INNER, PLACES = 2, 4, 384, 64, 300
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "read", "the", "file", "##s", "write", "a", "number", "."]


def random_weights(seed=3):
    random = np.random.default_rng(seed)
    shapes = {
        "embeddings.word_embeddings.weight": (len(WORDS), SIZE),
        "embeddings.position_embeddings.weight": (PLACES, SIZE),
        "embeddings.token_type_embeddings.weight": (2, SIZE),
    }
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}."
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            shapes[f"{at}{part}.weight"] = (SIZE, SIZE)
        shapes[f"{at}intermediate.dense.weight"] = (INNER, SIZE)
        shapes[f"{at}output.dense.weight"] = (SIZE, INNER)
    weights = {name: random.normal(0, 0.08, shape).astype(np.float32) for name, shape in shapes.items()}
    dense = [(name, shape[0]) for name, shape in shapes.items() if name.startswith("encoder")]
    weights |= {f"{name[:-6]}bias": random.normal(0, 0.1, size).astype(np.float32) for name, size in dense}
    norms = ["embeddings.LayerNorm."]
    norms += [f"encoder.layer.{n}.{part}LayerNorm." for n in range(LAYERS) for part in ("attention.output.", "output.")]
    for name in norms:
        weights[f"{name}weight"] = random.normal(1, 0.1, SIZE).astype(np.float32)
        weights[f"{name}bias"] = random.normal(0, 0.1, SIZE).astype(np.float32)
    return weights


def safetensors(weights):
    header, body = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in {**weights, "embeddings.position_ids": np.arange(4)}.items():
        kind = "F32" if tensor.dtype == np.float32 else "I64"
        ends = [len(body), len(body) + tensor.nbytes]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": ends}
        body += tensor.tobytes()
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def tokenizer():
    marks = [["[CLS]", 2], ["[SEP]", 3]]
    special = [
        {"id": at, "content": WORDS[at], "special": True}
        | dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        for at in range(4)
    ]
    model = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##"}
    model |= {"max_input_chars_per_word": 100, "vocab": {word: at for at, word in enumerate(WORDS)}}
    normal = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "lowercase": True}
    return {
        "version": "1.0",
        "truncation": {"max_length": 8, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
        "padding": None,
        "added_tokens": special,
        "normalizer": normal | {"strip_accents": None},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": marks[1], "cls": marks[0]},
        "decoder": None,
        "model": model,
    }


def write_wheel(path, weights):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny/model/model.safetensors", safetensors(weights))
        archive.writestr("tiny/model/tokenizer.json", json.dumps(tokenizer()))
        archive.writestr(
            "tiny/model/config.json", json.dumps({"num_hidden_layers": LAYERS, "num_attention_heads": HEADS})
        )
    return path


def reference(weights, ids):
    """The vector of one text in full precision, by another road than the graph's."""

    def dense(x, name):
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def normed(x, name):
        centred = x - x.mean(-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return centred / spread * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def attended(x, at):
        parts = [dense(x, f"{at}.self.{part}") for part in ("query", "key", "value")]
        mixed = []
        for head in range(HEADS):
            query, key, value = (part[:, head * SIZE // HEADS : (head + 1) * SIZE // HEADS] for part in parts)
            raised = np.exp(query @ key.T / math.sqrt(SIZE // HEADS))
            mixed.append(raised / raised.sum(1, keepdims=True) @ value)
        return dense(np.hstack(mixed), f"{at}.output.dense")

    gelu = np.vectorize(lambda value: value * (1 + math.erf(value / math.sqrt(2))) / 2)
    x = weights["embeddings.word_embeddings.weight"][ids] + weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = normed(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        x = normed(x + attended(x, f"{at}.attention"), f"{at}.attention.output.LayerNorm")
        x = normed(
            x + dense(gelu(dense(x, f"{at}.intermediate.dense")), f"{at}.output.dense"), f"{at}.output.LayerNorm"
        )
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)
