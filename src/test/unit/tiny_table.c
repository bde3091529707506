/*
 * tiny_table.c - a model over numbers, trained on a few rows.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "unit/tiny_table.h"

#include <stdio.h>
#include <string.h>

#define ROWS 60

/* Old members who like blue say yes; some values are missing. */
static bool
make_row(int number, char *json, size_t size)
{
    static const char *const colours[] = {"\"red\"", "\"green\"", "\"blue\"",
                                          "null"};
    static const char *const members[] = {"true", "false", "null"};
    int age = number * 37 % 80;
    int colour = number % 4;
    int member = number % 3;

    snprintf(json, size, "{\"age\": %d, \"colour\": %s, \"member\": %s}", age,
             colours[colour], members[member]);
    return age + (colour == 2) * 30 + (member == 0) * 20 > 55;
}

static ins_status
add_rows(ins_training *training, ins_error *error)
{
    static const ins_text labels[] = {{"no", 2}, {"yes", 3}};
    ins_status status = INS_OK;

    for (int i = 0; i < ROWS && status == INS_OK; i++) {
        char json[128];
        bool says_yes = make_row(i, json, sizeof(json));

        status = ins_training_add_object(
            training, (ins_text){json, strlen(json)}, labels[says_yes], error);
    }
    return status;
}

ins_status
tiny_table_train(uint32_t units, const ins_host *host, void **pack,
                 size_t *pack_bytes, ins_error *error)
{
    ins_training_options options = ins_training_defaults;
    ins_training *training;
    ins_status status;

    *pack = NULL;
    options.head = units > 0 ? INS_HEAD_NETWORK : INS_HEAD_LOGISTIC;
    options.units = units > 0 ? units : options.units;
    options.l2 = 0.01;
    status = ins_training_open(&training, INS_TRAIN_TABULAR, &options, NULL,
                               host, error);
    if (status == INS_OK)
        status = add_rows(training, error);
    if (status == INS_OK)
        status = ins_training_run(training, pack, pack_bytes, error);
    ins_training_close(training);
    return status;
}
