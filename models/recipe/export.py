"""export.py - the trained weights as a Hugging Face directory."""

import argparse
import json
import pathlib
import shutil

import numpy
import torch

import bert
import read_data
import safetensors_file
import wordpiece


# Training has more than three times as many texts of "other" as of any label,
# which says nothing about tickets.  Half of that lead the loss takes off; this
# much of the rest, and a little more, comes off the bias: with it some 96 % of
# the questions of clinc150's validation part still are "other".
OTHER_LEAD = 1.0


def checkpoint(state):
    """Names and shapes of transformers' BertForSequenceClassification."""
    tensors = {}
    for name, value in state.items():
        array = value.detach().float().numpy().astype(numpy.float16)
        if not numpy.isfinite(array).all():
            raise ValueError("%s leaves the range of float16" % name)
        module, kind = name.rsplit(".", 1)
        if module in bert.FRONT_NAMES:
            tensors["%s.%s" % (bert.FRONT_NAMES[module], kind)] = array
            continue
        _, _, number, part = module.split(".")
        layer = "bert.encoder.layer.%s." % number
        if part == "qkv":
            for role, third in zip(("query", "key", "value"),
                                   numpy.split(array, 3)):
                tensors[layer + "attention.self.%s.%s" % (role, kind)] = third
        else:
            name = layer + "%s.%s" % (bert.LAYER_NAMES[part], kind)
            tensors[name] = array
    return tensors


def config(vocabulary):
    c = bert.CONFIG
    labels = read_data.LABELS
    return {
        "architectures": ["BertForSequenceClassification"],
        "attention_probs_dropout_prob": 0.1,
        "classifier_dropout": None,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": c["hidden"],
        "id2label": {str(i): label for i, label in enumerate(labels)},
        "initializer_range": 0.02,
        "intermediate_size": c["intermediate"],
        "label2id": {label: i for i, label in enumerate(labels)},
        "layer_norm_eps": c["epsilon"],
        "max_position_embeddings": c["positions"],
        "model_type": "bert",
        "num_attention_heads": c["heads"],
        "num_hidden_layers": c["layers"],
        "pad_token_id": 0,
        "position_embedding_type": "absolute",
        "problem_type": "single_label_classification",
        "torch_dtype": "float16",
        "type_vocab_size": c["types"],
        "use_cache": False,
        "vocab_size": vocabulary,
    }


def tokenizer(pieces):
    """tokenizer.json as the tokenizers library writes it for BERT."""
    def special(name):
        return {"id": pieces.index(name), "content": name,
                "single_word": False, "lstrip": False, "rstrip": False,
                "normalized": False, "special": True}

    def mark(name, type_id):
        return {"SpecialToken": {"id": name, "type_id": type_id}}

    def sequence(name, type_id):
        return {"Sequence": {"id": name, "type_id": type_id}}

    def ids(name):
        return {"id": name, "ids": [pieces.index(name)], "tokens": [name]}

    single = [mark("[CLS]", 0), sequence("A", 0), mark("[SEP]", 0)]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [special(name) for name in wordpiece.SPECIALS],
        "normalizer": {"type": "BertNormalizer", "clean_text": True,
                       "handle_chinese_chars": True, "strip_accents": None,
                       "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": single,
            "pair": single + [sequence("B", 1), mark("[SEP]", 1)],
            "special_tokens": {"[CLS]": ids("[CLS]"), "[SEP]": ids("[SEP]")},
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]",
                  "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": wordpiece.MAX_WORD_CHARS,
                  "vocab": {piece: i for i, piece in enumerate(pieces)}},
    }


def side_files():
    """The small files around a checkpoint, by name."""
    specials = {"unk_token": "[UNK]", "sep_token": "[SEP]",
                "pad_token": "[PAD]", "cls_token": "[CLS]",
                "mask_token": "[MASK]"}
    hidden, positions = bert.CONFIG["hidden"], bert.CONFIG["positions"]
    kinds = [("0", "", "Transformer"), ("1", "1_Pooling", "Pooling"),
             ("2", "2_Normalize", "Normalize")]
    pooling = {"word_embedding_dimension": hidden,
               "pooling_mode_cls_token": False,
               "pooling_mode_mean_tokens": True,
               "pooling_mode_max_tokens": False,
               "pooling_mode_mean_sqrt_len_tokens": False}
    return {
        "special_tokens_map.json": specials,
        "tokenizer_config.json": dict(
            specials, do_lower_case=True, do_basic_tokenize=True,
            never_split=None, strip_accents=None,
            tokenize_chinese_chars=True, model_max_length=positions,
            clean_up_tokenization_spaces=True,
            tokenizer_class="BertTokenizer"),
        "modules.json": [
            {"idx": int(i), "name": i, "path": path,
             "type": "sentence_transformers.models." + kind}
            for i, path, kind in kinds],
        "1_Pooling/config.json": pooling,
        "sentence_bert_config.json": {"max_seq_length": positions,
                                      "do_lower_case": False},
        "config_sentence_transformers.json": {
            "__version__": {"sentence_transformers": "2.2.2",
                            "transformers": "4.30.0", "pytorch": "1.13.1"}},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", default="build/model")
    parser.add_argument("--router", default="router.pt")
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    work, out = pathlib.Path(arguments.work), pathlib.Path(arguments.out)
    pieces = json.loads((work / "vocabulary.json").read_text())
    state = torch.load(work / arguments.router)
    state["classifier.bias"][read_data.LABELS.index("other")] -= OTHER_LEAD

    # Written beside the target first: a reader never meets half a model.
    fresh = out.with_name(out.name + ".fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    (fresh / "1_Pooling").mkdir(parents=True)
    for name, content in side_files().items():
        text = json.dumps(content, indent=2)
        (fresh / name).write_text(text + "\n")
    (fresh / "config.json").write_text(
        json.dumps(config(len(pieces)), indent=2) + "\n")
    (fresh / "tokenizer.json").write_text(
        json.dumps(tokenizer(pieces), indent=2, ensure_ascii=False) + "\n")
    (fresh / "vocab.txt").write_text("\n".join(pieces) + "\n")
    safetensors_file.write(fresh / "model.safetensors", checkpoint(state))
    out.mkdir(parents=True, exist_ok=True)
    (out / "1_Pooling").mkdir(exist_ok=True)
    for path in fresh.rglob("*"):
        if path.is_file():
            path.replace(out / path.relative_to(fresh))
    shutil.rmtree(fresh)


if __name__ == "__main__":
    main()
