"""OPUS-MT on CTranslate2: converts the model that interpretd fetched, then times it on sentences.

    marian_ct2.py convert MODEL_FOLDER OUTPUT_FOLDER
    marian_ct2.py time OUTPUT_FOLDER MODEL_FOLDER TEXT LINES THREADS BATCH [TRANSLATIONS]

The mapping of weights is that of CTranslate2's own converter for Transformers (MarianMTLoader), which
would need PyTorch to read them. Timing prints a line of JSON.
"""

import json
import math
import resource
import sys
import time
from pathlib import Path

import ctranslate2
import numpy as np
import sentencepiece
from ctranslate2.specs import common_spec, transformer_spec
from safetensors.numpy import load_file


class Weights:
    def __init__(self, folder):
        self.tensors = load_file(folder / "model.safetensors")

    def linear(self, spec, name):
        spec.weight = self.tensors[f"{name}.weight"]
        spec.bias = self.tensors[f"{name}.bias"]

    def norm(self, spec, name):
        spec.gamma = self.tensors[f"{name}.weight"]
        spec.beta = self.tensors[f"{name}.bias"]

    def fused(self, spec, names):
        spec.weight = np.concatenate([self.tensors[f"{name}.weight"] for name in names])
        spec.bias = np.concatenate([self.tensors[f"{name}.bias"] for name in names])

    def attention(self, spec, name, own):
        q, k, v = (f"{name}.{part}_proj" for part in "qkv")
        if own:
            self.fused(spec.linear[0], [q, k, v])
        else:
            self.fused(spec.linear[0], [q])
            self.fused(spec.linear[1], [k, v])
        self.linear(spec.linear[-1], f"{name}.out_proj")

    def layer(self, spec, name, decoder):
        self.attention(spec.self_attention, f"{name}.self_attn", True)
        self.norm(spec.self_attention.layer_norm, f"{name}.self_attn_layer_norm")
        if decoder:
            self.attention(spec.attention, f"{name}.encoder_attn", False)
            self.norm(spec.attention.layer_norm, f"{name}.encoder_attn_layer_norm")
        self.linear(spec.ffn.linear_0, f"{name}.fc1")
        self.linear(spec.ffn.linear_1, f"{name}.fc2")
        self.norm(spec.ffn.layer_norm, f"{name}.final_layer_norm")


def positions(count, width):
    angles = np.arange(count)[:, None] / np.power(10000, 2 * np.arange(width // 2) / width)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


def convert(folder, output):
    config = json.loads((folder / "config.json").read_text())
    vocabulary = json.loads((folder / "vocab.json").read_text())
    pieces = sorted(vocabulary, key=vocabulary.get)
    assert pieces[-1] == "<pad>"
    weights = Weights(folder)
    spec = transformer_spec.TransformerSpec.from_config(
        (config["encoder_layers"], config["decoder_layers"]),
        config["encoder_attention_heads"],
        pre_norm=False,
        activation=common_spec.Activation.SWISH,
    )
    spec.decoder.start_from_zero_embedding = True
    # The last token is Transformers' padding, which Marian does not have.
    shared = weights.tensors["model.shared.weight"][:-1]
    for side, name in ((spec.encoder, "encoder"), (spec.decoder, "decoder")):
        side.scale_embeddings = math.sqrt(config["d_model"])
        side.position_encodings.encodings = positions(
            config["max_position_embeddings"], config["d_model"]
        )
        embeddings = side.embeddings[0] if isinstance(side.embeddings, list) else side.embeddings
        embeddings.weight = shared
        for index, layer in enumerate(side.layer):
            weights.layer(layer, f"model.{name}.layers.{index}", name == "decoder")
    spec.decoder.projection.weight = shared
    spec.decoder.projection.bias = weights.tensors["final_logits_bias"].reshape(-1)[:-1]
    spec.register_source_vocabulary(pieces[:-1])
    spec.register_target_vocabulary(pieces[:-1])
    spec.config.eos_token = spec.config.decoder_start_token = "</s>"
    spec.config.unk_token = "<unk>"
    spec.config.add_source_eos = False
    spec.validate()
    spec.optimize(quantization="int8")
    output.mkdir(parents=True, exist_ok=True)
    spec.save(str(output))


def timed(converted, folder, text, lines, threads, batch, translations=None):
    lines = Path(text).read_text().splitlines()[: int(lines)]
    begun = time.perf_counter()
    source = sentencepiece.SentencePieceProcessor(str(folder / "source.spm"))
    target = sentencepiece.SentencePieceProcessor(str(folder / "target.spm"))
    translator = ctranslate2.Translator(
        str(converted), compute_type="int8", intra_threads=int(threads), inter_threads=1
    )

    def translate(some):
        tokens = [source.encode(line, out_type=str) + ["</s>"] for line in some]
        results = translator.translate_batch(
            tokens, beam_size=1, max_batch_size=int(batch), return_end_token=True
        )
        return [result.hypotheses[0] for result in results]

    translate(lines[:1])
    first = time.perf_counter() - begun
    size = int(batch)
    parts = [lines[at : at + size] for at in range(0, len(lines), size)]
    for part in parts:
        translate(part)
    tokens, times, texts = 0, [], []
    for part in parts:
        begun = time.perf_counter()
        found = translate(part)
        times.append(time.perf_counter() - begun)
        tokens += sum(len(hypothesis) for hypothesis in found)
        for hypothesis in found:
            texts.append(target.decode([p for p in hypothesis if p != "</s>"]))
    if translations:
        Path(translations).write_text("\n".join(texts) + "\n")
    seconds = sum(times)
    times.sort()
    at = lambda part: round(times[(len(times) - 1) * part // 100] * 1000, 2)
    print(
        json.dumps(
            {
                "tokens": tokens,
                "seconds": round(seconds, 4),
                "p50_ms": at(50),
                "p95_ms": at(95),
                "first_translation_s": round(first, 3),
                "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            }
        )
    )


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "convert":
        convert(Path(rest[0]), Path(rest[1]))
    else:
        timed(Path(rest[0]), Path(rest[1]), *rest[2:])
