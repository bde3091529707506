/*
 * arch_bert.c - BERT: keys of its configuration, names of its tensors.
 *
 * Source: Devlin et al. (2018), and the checkpoints that transformers writes
 * for BertModel and BertForSequenceClassification.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "import/architecture.h"

#define LAYER "encoder.layer.%."

static const ins_tensor_names tensors[] = {
    {INS_ROLE_WORDS, false, {"embeddings.word_embeddings.weight"}},
    {INS_ROLE_POSITIONS, false, {"embeddings.position_embeddings.weight"}},
    {INS_ROLE_TYPES, false, {"embeddings.token_type_embeddings.weight"}},
    {INS_ROLE_INPUT_NORM,
     false,
     {"embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias"}},
    {INS_ROLE_QKV,
     false,
     {LAYER "attention.self.query.weight", LAYER "attention.self.key.weight",
      LAYER "attention.self.value.weight"}},
    {INS_ROLE_QKV_BIAS,
     false,
     {LAYER "attention.self.query.bias", LAYER "attention.self.key.bias",
      LAYER "attention.self.value.bias"}},
    {INS_ROLE_ATTENTION_OUT, false, {LAYER "attention.output.dense.weight"}},
    {INS_ROLE_ATTENTION_BIAS, false, {LAYER "attention.output.dense.bias"}},
    {INS_ROLE_ATTENTION_NORM,
     false,
     {LAYER "attention.output.LayerNorm.weight",
      LAYER "attention.output.LayerNorm.bias"}},
    {INS_ROLE_FFN_UP, false, {LAYER "intermediate.dense.weight"}},
    {INS_ROLE_FFN_UP_BIAS, false, {LAYER "intermediate.dense.bias"}},
    {INS_ROLE_FFN_DOWN, false, {LAYER "output.dense.weight"}},
    {INS_ROLE_FFN_DOWN_BIAS, false, {LAYER "output.dense.bias"}},
    {INS_ROLE_FFN_NORM,
     false,
     {LAYER "output.LayerNorm.weight", LAYER "output.LayerNorm.bias"}},
    {INS_ROLE_HEAD_DENSE, false, {"pooler.dense.weight"}},
    {INS_ROLE_HEAD_DENSE_BIAS, false, {"pooler.dense.bias"}},
    {INS_ROLE_HEAD_OUT, true, {"classifier.weight"}},
    {INS_ROLE_HEAD_OUT_BIAS, true, {"classifier.bias"}},
    {INS_ROLE_HEAD_WORDS, true, {"word_classifier.weight"}},
};

static const char *const encoders[] = {"BertModel", "BertForMaskedLM",
                                       "BertForPreTraining", NULL};
static const char *const namespaces[] = {"embeddings.", "encoder.", NULL};

const ins_architecture ins_arch_bert = {
    .model_type = "bert",
    .prefix = "bert.",
    .classifier = "BertForSequenceClassification",
    .encoders = encoders,
    .namespaces = namespaces,
    .beyond = LAYER "attention.self.query.weight",
    .head_activation = INS_ACTIVATION_TANH,
    .keys = {.hidden = "hidden_size",
             .layers = "num_hidden_layers",
             .heads = "num_attention_heads",
             .intermediate = "intermediate_size",
             .activation = "hidden_act",
             .token_types = "type_vocab_size",
             .norm_epsilon = "layer_norm_eps"},
    .tensors = tensors,
    .tensor_count = sizeof(tensors) / sizeof(tensors[0]),
};
