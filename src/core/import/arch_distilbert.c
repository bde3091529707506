/*
 * arch_distilbert.c - DistilBERT: keys of its configuration, names of its
 * tensors.
 *
 * The same block as BERT's without token types; the head's first layer has its
 * own matrix and a ReLU.
 *
 * Source: Sanh et al. (2019), "DistilBERT, a distilled version of BERT", and
 * the checkpoints that transformers writes for it.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "import/architecture.h"

#define LAYER "transformer.layer.%."

static const ins_tensor_names tensors[] = {
    {INS_ROLE_WORDS, false, {"embeddings.word_embeddings.weight"}},
    {INS_ROLE_POSITIONS, false, {"embeddings.position_embeddings.weight"}},
    {INS_ROLE_INPUT_NORM,
     false,
     {"embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias"}},
    {INS_ROLE_QKV,
     false,
     {LAYER "attention.q_lin.weight", LAYER "attention.k_lin.weight",
      LAYER "attention.v_lin.weight"}},
    {INS_ROLE_QKV_BIAS,
     false,
     {LAYER "attention.q_lin.bias", LAYER "attention.k_lin.bias",
      LAYER "attention.v_lin.bias"}},
    {INS_ROLE_ATTENTION_OUT, false, {LAYER "attention.out_lin.weight"}},
    {INS_ROLE_ATTENTION_BIAS, false, {LAYER "attention.out_lin.bias"}},
    {INS_ROLE_ATTENTION_NORM,
     false,
     {LAYER "sa_layer_norm.weight", LAYER "sa_layer_norm.bias"}},
    {INS_ROLE_FFN_UP, false, {LAYER "ffn.lin1.weight"}},
    {INS_ROLE_FFN_UP_BIAS, false, {LAYER "ffn.lin1.bias"}},
    {INS_ROLE_FFN_DOWN, false, {LAYER "ffn.lin2.weight"}},
    {INS_ROLE_FFN_DOWN_BIAS, false, {LAYER "ffn.lin2.bias"}},
    {INS_ROLE_FFN_NORM,
     false,
     {LAYER "output_layer_norm.weight", LAYER "output_layer_norm.bias"}},
    {INS_ROLE_HEAD_DENSE, true, {"pre_classifier.weight"}},
    {INS_ROLE_HEAD_DENSE_BIAS, true, {"pre_classifier.bias"}},
    {INS_ROLE_HEAD_OUT, true, {"classifier.weight"}},
    {INS_ROLE_HEAD_OUT_BIAS, true, {"classifier.bias"}},
    {INS_ROLE_HEAD_WORDS, true, {"word_classifier.weight"}},
};

static const char *const encoders[] = {"DistilBertModel",
                                       "DistilBertForMaskedLM", NULL};
static const char *const namespaces[] = {"embeddings.", "transformer.", NULL};

const ins_architecture ins_arch_distilbert = {
    .model_type = "distilbert",
    .prefix = "distilbert.",
    .classifier = "DistilBertForSequenceClassification",
    .encoders = encoders,
    .namespaces = namespaces,
    .beyond = LAYER "attention.q_lin.weight",
    .head_activation = INS_ACTIVATION_RELU,
    .keys = {.hidden = "dim",
             .layers = "n_layers",
             .heads = "n_heads",
             .intermediate = "hidden_dim",
             .activation = "activation"},
    .tensors = tensors,
    .tensor_count = sizeof(tensors) / sizeof(tensors[0]),
};
