"""export.py - step 8: the trained weights as directories.

    export.py base    --out models/insitu-base-en
    export.py mini    --out models/insitu-mini-en
    export.py tickets --out models/insitu-tickets-en

An encoder is laid out as transformers and sentence-transformers write it, with
the ten labels of requests as a head over its embedding; a task as PEFT writes
an adapter.
"""

import cpu  # noqa: F401  before numpy and torch

import argparse
import json
import pathlib
import shutil

import numpy
import torch

import bert
import contrast
import read_data
import safetensors_file
import tasks
import wordpiece


WORDS = "word_classifier.weight"


def half(value):
    array = value.detach().float().numpy().astype(numpy.float16)
    if not numpy.isfinite(array).all():
        raise ValueError("a weight leaves the range of float16")
    return array


def encoder_tensors(state):
    """Names of transformers' BertModel inside a model with a head."""
    tensors = {}
    for name, value in state.items():
        module, kind = name.rsplit(".", 1)
        if module in bert.FRONT_NAMES:
            tensors["bert.%s.%s" % (bert.FRONT_NAMES[module], kind)] = \
                half(value)
            continue
        _, number, part = module.split(".")
        layer = "bert.encoder.layer.%s." % number
        if part == "qkv":
            for role, third in zip(("query", "key", "value"),
                                   value.chunk(3)):
                tensors[layer + "attention.self.%s.%s" % (role, kind)] = \
                    half(third)
        else:
            tensors[layer + "%s.%s" % (bert.LAYER_NAMES[part], kind)] = \
                half(value)
    return tensors


def adapter_tensors(state):
    """The matrices that are added, by PEFT's names."""
    modules = {"qkv": ["attention.self.query", "attention.self.key",
                       "attention.self.value"]}
    tensors = {}
    for name, value in state.items():
        if ".parametrizations.weight.0." not in name:
            continue
        # base.encoder.layers.N.PART.parametrizations.weight.0.{a,b}.BLOCK
        words = name.split(".")
        number, part, side, block = words[3], words[4], words[-2], words[-1]
        where = modules.get(part, [bert.LAYER_NAMES.get(part)])[int(block)]
        tensors["bert.encoder.layer.%s.%s.lora_%s.weight" % (
            number, where, side.upper())] = half(value)
    return tensors


def label_names(labels):
    return {"id2label": {str(i): label for i, label in enumerate(labels)},
            "label2id": {label: i for i, label in enumerate(labels)},
            "problem_type": "single_label_classification",
            "insitu_head": {"reads": "embedding"}}


def add_words(arguments, tensors, config):
    """The head over words."""
    table = arguments.words_share * torch.load(
        pathlib.Path(arguments.work) / arguments.words)
    tensors[WORDS] = half(table)
    config["insitu_head"]["words"] = len(table)


def config(shape):
    return {
        # The head over the embedding is one that other libraries do not
        # know: they shall load the encoder alone.
        "architectures": ["BertModel"],
        "attention_probs_dropout_prob": 0.1,
        "classifier_dropout": None,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": shape.hidden,
        **label_names(read_data.LABELS),
        "initializer_range": 0.02,
        "intermediate_size": shape.intermediate,
        "layer_norm_eps": shape.epsilon,
        "max_position_embeddings": shape.positions,
        "model_type": "bert",
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "pad_token_id": 0,
        "position_embedding_type": "absolute",
        "torch_dtype": "float16",
        "type_vocab_size": shape.types,
        "use_cache": False,
        "vocab_size": shape.vocabulary,
    }


def adapter_config(base, state, alpha, words):
    """Of low-rank changes and a head, or of a head alone that reads words."""
    ranks = [value.shape[0] for name, value in state.items()
             if name.endswith(".0.a.0")]
    config = {
        "alpha_pattern": {},
        "base_model_name_or_path": base,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "lora_alpha": alpha,
        "lora_dropout": 0.0,
        "modules_to_save": ["classifier"],
        "peft_type": "LORA",
        "r": ranks[0] if ranks else 1,
        "rank_pattern": {},
        "target_modules": ["query", "key", "value", "dense"],
        "task_type": "SEQ_CLS",
        "use_dora": False,
        "use_rslora": False,
    }
    if not ranks:
        config["target_modules"] = []
    if words:
        config["modules_to_save"].append(WORDS.partition(".")[0])
    return config


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


def side_files(shape):
    """The small files around a checkpoint, by name."""
    specials = {"unk_token": "[UNK]", "sep_token": "[SEP]",
                "pad_token": "[PAD]", "cls_token": "[CLS]",
                "mask_token": "[MASK]"}
    kinds = [("0", "", "Transformer"), ("1", "1_Pooling", "Pooling"),
             ("2", "2_Normalize", "Normalize")]
    pooling = {"word_embedding_dimension": shape.hidden,
               "pooling_mode_cls_token": False,
               "pooling_mode_mean_tokens": True,
               "pooling_mode_max_tokens": False,
               "pooling_mode_mean_sqrt_len_tokens": False}
    return {
        "special_tokens_map.json": specials,
        "tokenizer_config.json": dict(
            specials, do_lower_case=True, do_basic_tokenize=True,
            never_split=None, strip_accents=None,
            tokenize_chinese_chars=True, model_max_length=shape.positions,
            clean_up_tokenization_spaces=True,
            tokenizer_class="BertTokenizer"),
        "modules.json": [
            {"idx": int(i), "name": i, "path": path,
             "type": "sentence_transformers.models." + kind}
            for i, path, kind in kinds],
        "1_Pooling/config.json": pooling,
        "sentence_bert_config.json": {"max_seq_length": shape.positions,
                                      "do_lower_case": False},
        "config_sentence_transformers.json": {
            "__version__": {"sentence_transformers": "2.2.2",
                            "transformers": "4.30.0", "pytorch": "1.13.1"}},
    }


def write_json(path, content, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, **options) + "\n")


def head_of(weight, bias, labels, arguments):
    """The head over the embedding with its scale, its calibration and its bias
    against "other"."""
    weight, bias = weight * contrast.HEAD_SCALE, bias.clone()
    if "other" in labels:
        bias[labels.index("other")] -= arguments.other_lead
    return {"classifier.weight": half(weight / arguments.temperature),
            "classifier.bias": half(bias / arguments.temperature)}


def write_encoder(arguments, out):
    work = pathlib.Path(arguments.work)
    known = torch.load(work / (arguments.what + ".pt"))
    shape = bert.Shape(**known["shape"])
    pieces = json.loads((work / "vocabulary.json").read_text())
    for name, content in side_files(shape).items():
        write_json(out / name, content)
    # One line, to be half as long.
    (out / "tokenizer.json").write_text(json.dumps(
        tokenizer(pieces), ensure_ascii=False, separators=(",", ":")) + "\n")
    tensors = encoder_tensors(known["encoder"])
    tensors.update(head_of(known["tickets"]["weight"],
                           known["tickets"]["bias"], read_data.LABELS,
                           arguments))
    configuration = config(shape)
    if arguments.words:
        # In a file of their own: the other one can stay as it is.
        words = {}
        add_words(arguments, words, configuration)
        safetensors_file.write_parts(out, [tensors, words])
    else:
        safetensors_file.write(out / "model.safetensors", tensors)
    write_json(out / "config.json", configuration)


def write_adapter(arguments, out):
    work = pathlib.Path(arguments.work)
    labels = tasks.TASKS[arguments.what].labels
    if arguments.head_of:
        state = {}
        head = torch.load(work / arguments.head_of)[arguments.what]
    else:
        state = torch.load(work / (arguments.what + ".pt"))
        head = {kind: state["classifier." + kind]
                for kind in ("weight", "bias")}
    tensors = adapter_tensors(state)
    tensors.update(head_of(head["weight"], head["bias"], labels, arguments))
    configuration = {"architectures": ["BertModel"], "model_type": "bert",
                     **label_names(labels)}
    if arguments.words:
        add_words(arguments, tensors, configuration)
    write_json(out / "adapter_config.json",
               adapter_config(arguments.base, state, arguments.alpha,
                              WORDS in tensors))
    write_json(out / "config.json", configuration)
    safetensors_file.write(
        out / "adapter_model.safetensors",
        {"base_model.model." + name: tensors[name] for name in tensors})


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["base", "mini", *tasks.TASKS])
    parser.add_argument("--work", default="build/model")
    parser.add_argument("--base", default="../insitu-base-en")
    parser.add_argument("--head-of", metavar="base.pt",
                        help="the encoder's own head, and no changes of it")
    parser.add_argument("--words", metavar="FILE",
                        help="of words.py, in --work: the head reads words")
    parser.add_argument("--words-share", type=float, default=0.5,
                        help="of the words' logits that is added; the product "
                        "adds a half, too")
    parser.add_argument("--alpha", type=float, default=16)
    parser.add_argument("--temperature", type=float, default=1.0,
                        help="divides the logits of the embedding: "
                        "calibrates the scores")
    parser.add_argument("--other-lead", type=float, default=0.0,
                        help="comes off the logit of the label \"other\"")
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    out = pathlib.Path(arguments.out)
    # Written beside the target first: a reader never meets half a model.
    fresh = out.with_name(out.name + ".fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    (write_adapter if arguments.what in tasks.TASKS else write_encoder)(
        arguments, fresh)
    for path in sorted(fresh.rglob("*")):
        if path.is_file():
            target = out / path.relative_to(fresh)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
    shutil.rmtree(fresh)


if __name__ == "__main__":
    main()
