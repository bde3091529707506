/*
 * insitu_train.h - labelled rows to a pack: a head on a frozen encoder, a
 * whole encoder, or a model over numbers.
 *
 *     ins_training_options options = ins_training_defaults;
 *     ins_training *training;
 *
 *     ins_training_open(&training, INS_TRAIN_CLASSIFIER, &options, encoder,
 *                       &host, &error);
 *     ins_training_add_text(training, text, &label, 1, &error);  per row
 *     ins_training_run(training, &pack, &pack_bytes, &error);
 *     ins_training_close(training);
 *     ...
 *     host.release(host.user, pack);
 *
 * Rows are copied and kept until the run, in memory that options.max_bytes
 * bounds together with all that the run will need.  The same rows in the same
 * order with the same options give the same pack on the same machine; matrix
 * products run on OpenBLAS, which rounds otherwise on other processors.
 *
 * A training serves one caller at a time.  A failed or cancelled one leaves
 * nothing behind but the object, to be closed.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INSITU_TRAIN_H
#define INSITU_TRAIN_H

#include "insitu_import.h"

#ifdef __cplusplus
extern "C" {
#endif

#define INS_MODEL_NAME_BYTES 64 /* of a model's name, with the NUL */

typedef enum ins_training_method {
    INS_TRAIN_CLASSIFIER = 1, /* a head over embeddings of a frozen encoder */
    INS_TRAIN_FINE_TUNE,      /* encoder and head together */
    INS_TRAIN_TABULAR         /* a head over standardised numbers */
} ins_training_method;

typedef enum ins_head_choice {
    INS_HEAD_LOGISTIC = 0, /* multinomial logistic regression */
    INS_HEAD_NETWORK,      /* one hidden layer */
    INS_HEAD_AUTO          /* the better one in cross-validation */
} ins_head_choice;

typedef struct ins_training_progress {
    const char *phase; /* a static word: "collect", "tokenize", "embed",
                          "select", "fit", "train", "validate", "write" */
    uint32_t epoch;    /* from 1; 0 outside of training */
    uint32_t epochs;
    uint64_t step; /* within the phase */
    uint64_t steps;
    double loss;      /* mean of the epoch so far; NaN when unknown */
    double accuracy;  /* on the held-back rows; NaN when unknown */
    uint64_t rows;    /* taken */
    uint64_t skipped; /* rows with NULL */
    double fraction;  /* of the whole run that is done, 0 to 1 */
    bool epoch_ended; /* loss and accuracy are final for this epoch */
} ins_training_progress;

typedef struct ins_training_options {
    /* What SQL users write; ins_training_options_parse. */
    char encoder[INS_MODEL_NAME_BYTES]; /* for the host to find; "" = default */
    ins_head_choice head;
    bool words;       /* the head reads words, too */
    bool balanced;    /* rows weigh inversely to their label's frequency */
    bool multi_label; /* set by the host when labels come as arrays */
    double l2;        /* of the head; < 0 = chosen on folds */
    uint32_t folds;   /* 2 to 10 */
    uint32_t units;   /* hidden units of a tabular network */
    uint64_t seed;
    uint32_t epochs;
    uint32_t batch_size;  /* texts per step */
    double learning_rate; /* highest; of the encoder */
    double warmup;        /* fraction of the steps */
    double weight_decay;
    double dropout;
    double token_dropout;   /* fraction of a text's tokens that a step leaves
                             out */
    uint32_t max_tokens;    /* 0 = the encoder's; longer texts are cut */
    uint32_t freeze_layers; /* first layers, and embeddings, that stay */
    double averaging;       /* epochs that the mean of weights goes back; 0 =
                               the weights as the last step leaves them */
    double base_share;      /* of the weights that the run began with, in what
                               it gives; below 1 */
    double validation;      /* fraction of rows held back to choose the epoch;
                               0 = all rows teach, and the last epoch counts */
    uint32_t patience;      /* epochs without a gain; 0 = never stop early;
                               needs a validation */
    ins_weights_choice weights; /* DEFAULT: as the base model has them */
    char positive[256];         /* label that predict scores; "" = the last */
    /* What the host sets. */
    uint64_t max_bytes; /* rows and working memory; 0 = 1 GB */
    /* May only record; called at least every 100 ms of work.  NULL = none. */
    void (*progress)(void *user, const ins_training_progress *progress);
    void *progress_user;
} ins_training_options;

extern const ins_training_options ins_training_defaults;

/*
 * Reads the JSON object that SQL users pass as options over the defaults:
 * {"head": "auto", "class_weights": "balanced", "epochs": 5, ...}.  Keys that
 * the method does not have, wrong types, duplicates and values out of range
 * are INS_INVALID_ARGUMENT and name the option.
 */
ins_status ins_training_options_parse(ins_training_options *options,
                                      ins_training_method method, ins_text json,
                                      ins_error *error);

typedef struct ins_training ins_training;

/*
 * base: the encoder, open until the training is closed; NULL for TABULAR.
 * options, host: copied.  Errors: WRONG_TASK when base reads no texts or, for
 * CLASSIFIER, cannot embed; INVALID_ARGUMENT, NO_MEMORY.
 */
ins_status ins_training_open(ins_training **training,
                             ins_training_method method,
                             const ins_training_options *options,
                             const ins_model *base, const ins_host *host,
                             ins_error *error);
void ins_training_close(ins_training *training); /* accepts NULL */

/*
 * A text with its labels: exactly one, or with multi_label any number.  A
 * label has 1 to INS_MAX_LABEL_BYTES bytes of UTF-8.
 * Errors: LIMIT_EXCEEDED when the rows would need more than max_bytes or have
 * more than INS_MAX_LABELS labels, INVALID_ARGUMENT, NO_MEMORY.
 */
ins_status ins_training_add_text(ins_training *training, ins_text input,
                                 const ins_text *labels, size_t label_count,
                                 ins_error *error);
/* TABULAR: the same number of features in each row; NaN = missing.  Infinite
 * values are INVALID_ARGUMENT. */
ins_status ins_training_add_numbers(ins_training *training,
                                    const double *features, size_t count,
                                    ins_text label, ins_error *error);
/*
 * TABULAR: {"age": 39, "sex": "female", "member": true, "income": null}.  A
 * number or truth value is a feature by the name of its key; a string gives one
 * feature "key=value" per value that occurs; null or a missing key is missing.
 */
ins_status ins_training_add_object(ins_training *training, ins_text json,
                                   ins_text label, ins_error *error);
/* Counts a row that was left out because its input or label is NULL. */
void ins_training_skip(ins_training *training);
uint64_t ins_training_rows(const ins_training *training);
uint64_t ins_training_skipped(const ins_training *training);
/* All memory held now. */
uint64_t ins_training_bytes(const ins_training *training);

/*
 * Trains and writes a pack.  Labels are sorted by their bytes.  The pack of
 * CLASSIFIER has the encoder, tokenizer and embedding of the base, that of
 * FINE_TUNE the tokenizer and kind of embedding.  With max_tokens the pack has
 * that limit; with weights its encoder has that number type, and CLASSIFIER
 * fits the head to what that encoder gives.  A run that failed may be repeated.
 * *pack: allocated from host, owned by the caller.
 * Errors: INVALID_ARGUMENT without rows, with one label only, or with none
 * where rows may have several; CANCELLED, NO_MEMORY, LIMIT_EXCEEDED, INTERNAL
 * when the loss is not a number.
 */
ins_status ins_training_run(ins_training *training, void **pack,
                            size_t *pack_bytes, ins_error *error);

/* ---- models over numbers ------------------------------------------------ */

/* ins_model_describe gives feature_count and can_predict.  The name of a
 * feature: "age", "sex=female", or "1", "2", ... without names. */
ins_text ins_model_feature(const ins_model *model, uint32_t feature);
/* The label whose score predict gives. */
uint32_t ins_model_positive_label(const ins_model *model);
/*
 * scores: [label_count].  features: [count], NaN = missing, which counts as
 * the mean of the training rows.  Errors: WRONG_TASK, INVALID_ARGUMENT.
 */
ins_status ins_predict(const ins_model *model, const double *features,
                       size_t count, float *scores, ins_error *error);
/* Reads an object as ins_training_add_object does into features
 * [feature_count].  Keys that the model does not know are INVALID_ARGUMENT,
 * values of a known key that training did not see are not. */
ins_status ins_predict_read_object(const ins_model *model, ins_text json,
                                   double *features, const ins_host *host,
                                   ins_error *error);

#ifdef __cplusplus
}
#endif
#endif
