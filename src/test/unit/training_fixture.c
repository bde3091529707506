/*
 * training_fixture.c - a training over a tiny model, and rows to learn.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "unit/training_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

ins_text
training_text(const char *string)
{
    return (ins_text){string, strlen(string)};
}

void
training_open(struct training_fixture *f, unsigned flags)
{
    tiny_model files;
    size_t size;

    memset(f, 0, sizeof(*f));
    tiny_host_open(&f->host);
    tiny_open(&files, flags);
    assert_int_equal(
        tiny_import(&files, &f->host.host, &f->base_pack, &size, &f->error),
        INS_OK);
    tiny_close(&files);
    assert_int_equal(
        ins_model_open(&f->base, f->base_pack, size, &f->host.host, &f->error),
        INS_OK);
    f->options = ins_training_defaults;
    f->options.l2 = 1e-4;
    f->method = INS_TRAIN_CLASSIFIER;
}

void
training_begin(struct training_fixture *f)
{
    assert_int_equal(ins_training_open(&f->training, f->method, &f->options,
                                       f->base, &f->host.host, &f->error),
                     INS_OK);
}

void
training_end(struct training_fixture *f)
{
    ins_model_close(f->model);
    f->model = NULL;
    f->host.host.release(&f->host, f->pack);
    f->pack = NULL;
    ins_training_close(f->training);
    f->training = NULL;
}

void
training_close(struct training_fixture *f)
{
    training_end(f);
    ins_model_close(f->base);
    f->host.host.release(&f->host, f->base_pack);
    assert_int_equal(f->host.live_blocks, 0);
}

ins_status
training_add(struct training_fixture *f, const char *text, const char *label)
{
    const ins_text labels[] = {training_text(label)};

    return ins_training_add_text(f->training, training_text(text), labels, 1,
                                 &f->error);
}

const struct training_row training_rows[TRAINING_ROWS] = {
    {"where is my order", "delivery"},
    {"is my order delivery", "delivery"},
    {"order delivery where", "delivery"},
    {"where is the delivery?", "delivery"},
    {"my refund!", "billing"},
    {"charged twice refund", "billing"},
    {"the refund was charged", "billing"},
    {"hello", "other"},
    {"hello hello", "other"},
    {"hello.", "other"},
    {"hello!", "other"},
};

void
training_add_rows(struct training_fixture *f)
{
    for (size_t i = 0; i < TRAINING_ROWS; i++)
        assert_int_equal(
            training_add(f, training_rows[i].text, training_rows[i].label),
            INS_OK);
}

ins_status
training_run(struct training_fixture *f)
{
    ins_status status =
        ins_training_run(f->training, &f->pack, &f->pack_bytes, &f->error);

    if (status != INS_OK) {
        assert_null(f->pack);
        assert_int_equal(f->pack_bytes, 0);
    }
    return status;
}

void
training_run_and_open(struct training_fixture *f)
{
    ins_status status = training_run(f);

    if (status != INS_OK)
        print_error("%s | %s\n", f->error.message, f->error.detail);
    assert_int_equal(status, INS_OK);
    assert_int_equal(
        ins_pack_check(f->pack, f->pack_bytes, &f->host.host, &f->error),
        INS_OK);
    assert_int_equal(ins_model_open(&f->model, f->pack, f->pack_bytes,
                                    &f->host.host, &f->error),
                     INS_OK);
}

void
training_task(struct training_fixture *f, const ins_model *model, ins_task task,
              const char *text, float *row)
{
    const ins_text texts[] = {training_text(text)};
    ins_session *session;

    assert_int_equal(
        ins_session_open(&session, model, NULL, &f->host.host, &f->error),
        INS_OK);
    assert_int_equal(
        ins_run(session, task, texts, 1, row, TRAINING_VALUES, &f->error),
        INS_OK);
    ins_session_close(session);
}
