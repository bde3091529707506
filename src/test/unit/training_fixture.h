/*
 * training_fixture.h - a training over a tiny model, and rows to learn.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TRAINING_FIXTURE_H
#define TRAINING_FIXTURE_H

#include "insitu_train.h"
#include "tiny_model.h"

/* Of a row of a tiny model: 32 hidden and the lexical part. */
#define TRAINING_VALUES (32 + TINY_LEXICAL_SIZE)

struct training_fixture {
    tiny_host host;
    size_t peak; /* of host.live_bytes, when it is polled */
    void *base_pack;
    ins_model *base;
    ins_training_method method;
    ins_training_options options;
    ins_training *training;
    void *pack;
    size_t pack_bytes;
    ins_model *model; /* of pack */
    ins_error error;
};

/* texts: a few, of three labels, that a tiny model tells apart. */
struct training_row {
    const char *text;
    const char *label;
};
#define TRAINING_ROWS 11
extern const struct training_row training_rows[TRAINING_ROWS];

ins_text training_text(const char *string);

/* A base of enum tiny_flags; the method is CLASSIFIER, the penalty is given. */
void training_open(struct training_fixture *f, unsigned flags);
void training_close(struct training_fixture *f);
void training_begin(struct training_fixture *f);
/* And the pack and the model that it gave. */
void training_end(struct training_fixture *f);
ins_status training_add(struct training_fixture *f, const char *text,
                        const char *label);
void training_add_rows(struct training_fixture *f);
/* A failure leaves no pack. */
ins_status training_run(struct training_fixture *f);
/* Trains, checks the pack as one from elsewhere and opens it. */
void training_run_and_open(struct training_fixture *f);
/* Of one text; row: [TRAINING_VALUES]. */
void training_task(struct training_fixture *f, const ins_model *model,
                   ins_task task, const char *text, float *row);

#endif
