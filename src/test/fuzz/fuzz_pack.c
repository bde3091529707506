/*
 * fuzz_pack.c - forged packs: what the reader accepts can be run.
 *
 * The input is a list of changes to a good pack, because a fuzzer would need
 * ages to make one: four bytes each, a place (three bytes) and a value that is
 * xored there.  Places count from the start and wrap before the weights; those
 * with the highest bit set lie in the weights.  An input that begins like a
 * pack is taken as one; the changes of one that begins with "numbers:" are to a
 * model over numbers.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>
#include <string.h>

#include "pack/pack_format.h"
#include "unit/tiny_model.h"
#include "unit/tiny_table.h"

#define MAX_VALUES 64
#define MAX_TOKENS 128

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
demand(bool condition)
{
    if (!condition)
        abort();
}

struct base {
    void *pack; /* NULL until made */
    size_t size;
    size_t weights; /* offset */
};

static void
import_base(struct base *base, const ins_host *host)
{
    ins_error error;
    tiny_model model;

    tiny_open(&model, TINY_CLASSIFIER | TINY_SENTENCE | TINY_LEXICAL);
    demand(tiny_import(&model, host, &base->pack, &base->size, &error) ==
           INS_OK);
    tiny_close(&model);
}

static const struct base *
shared_pack(bool is_tabular)
{
    static struct base bases[2];
    static tiny_host host;
    struct base *base = &bases[is_tabular];
    ins_error error;
    const ins_pack_section *sections;

    if (base->pack != NULL)
        return base;
    demand(ins_runtime_prepare(&error) == INS_OK);
    tiny_host_open(&host);
    if (is_tabular)
        demand(tiny_table_train(3, &host.host, &base->pack, &base->size,
                                &error) == INS_OK);
    else
        import_base(base, &host.host);
    sections =
        (const void *) ((const char *) base->pack + sizeof(ins_pack_header));
    base->weights = (size_t) sections[INS_SECTION_WEIGHTS - 1].offset;
    return base;
}

/* A copy of exactly the size, aligned. */
static uint8_t *
make_pack(const uint8_t *data, size_t size, size_t *pack_bytes)
{
    bool is_tabular = size >= 8 && memcmp(data, "numbers:", 8) == 0;
    const struct base *base = shared_pack(is_tabular);
    bool is_pack = size >= 8 && memcmp(data, INS_PACK_MAGIC, 8) == 0;
    uint8_t *pack;

    *pack_bytes = is_pack ? size : base->size;
    pack = malloc(*pack_bytes);
    demand(pack != NULL);
    memcpy(pack, is_pack ? data : base->pack, *pack_bytes);
    if (is_pack)
        return pack;
    for (size_t i = is_tabular ? 8 : 0; i + 4 <= size; i += 4) {
        size_t place = (size_t) data[i] | (size_t) data[i + 1] << 8 |
                       (size_t) (data[i + 2] & 0x7F) << 16;

        if ((data[i + 2] & 0x80) != 0)
            place = base->weights + place % (base->size - base->weights);
        else
            place %= base->weights;
        pack[place] ^= data[i + 3];
    }
    return pack;
}

static void
predict(const ins_model *model, const ins_host *host)
{
    const ins_model_info *info = ins_model_describe(model);
    const ins_text text = {"{\"age\": 3, \"colour\": \"red\", \"1\": 2}", 36};
    double *features = calloc(info->feature_count, sizeof(double));
    float *scores = calloc(info->label_count, sizeof(float));
    ins_error error;
    char *json;
    size_t size;

    demand(features != NULL && scores != NULL);
    demand(ins_model_positive_label(model) < info->label_count);
    ins_predict_read_object(model, text, features, host, &error);
    ins_predict(model, features, info->feature_count, scores, &error);
    demand(ins_model_info_json(model, host, &json, &size, &error) == INS_OK);
    host->release(host->user, json);
    free(features);
    free(scores);
}

static void
run_model(const ins_model *model, const ins_host *host)
{
    const ins_model_info *info = ins_model_describe(model);
    const ins_text text = {"Where is [MASK] my order?", 25};
    const ins_options options = {.batch_tokens = 64};
    ins_session *session;
    ins_error error;
    ins_token tokens[MAX_TOKENS];
    size_t count;
    float rows[2][MAX_VALUES];

    if (info->can_predict)
        predict(model, host);
    if (info->hidden_size > MAX_VALUES || info->label_count > MAX_VALUES)
        return;
    if (ins_session_open(&session, model, &options, host, &error) != INS_OK)
        return;
    demand(ins_tokenize(session, text, tokens, MAX_TOKENS, &count, &error) ==
           INS_OK);
    for (size_t i = 0; i < count && i < MAX_TOKENS; i++) {
        demand(tokens[i].id >= 0);
        ins_model_token_text(model, tokens[i].id);
    }
    for (int task = INS_TASK_CLASSIFY; task <= INS_TASK_EMBED_QUERY; task++) {
        ins_status first = ins_run(session, (ins_task) task, &text, 1, rows[0],
                                   MAX_VALUES, &error);
        ins_status second = ins_run(session, (ins_task) task, &text, 1, rows[1],
                                    MAX_VALUES, &error);

        demand(first == second);
        if (first == INS_OK && task == INS_TASK_CLASSIFY)
            demand(memcmp(rows[0], rows[1],
                          info->label_count * sizeof(float)) == 0);
    }
    ins_session_close(session);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tiny_host host;
    ins_model *model;
    ins_error error = {.status = INS_OK};
    size_t pack_bytes;
    uint8_t *pack = make_pack(data, size, &pack_bytes);

    tiny_host_open(&host);
    ins_pack_check(pack, pack_bytes, &host.host, &error);
    if (ins_model_open(&model, pack, pack_bytes, &host.host, &error) ==
        INS_OK) {
        run_model(model, &host.host);
        ins_model_close(model);
    }
    demand(host.live_blocks == 0);
    free(pack);
    return 0;
}
