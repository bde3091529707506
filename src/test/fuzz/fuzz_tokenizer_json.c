/*
 * fuzz_tokenizer_json.c - any bytes as tokenizer.json of an otherwise good
 * model: what is accepted tokenises texts, with ids that have an embedding.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>
#include <string.h>

#include "unit/tiny_model.h"

#define MAX_TOKENS 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const ins_text texts[] = {
    {"", 0},
    {"The order was charged twice!", 28},
    {"[CLS] [MASK] ##ing \xE4\xBD\xA0 \xC3\x89t\xC3\xA9 \xFF", 29},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 36},
};

static tiny_model *
shared_model(void)
{
    static tiny_model model;

    if (model.count == 0)
        tiny_open(&model, 0);
    return &model;
}

static void
demand(bool condition)
{
    if (!condition)
        abort();
}

static void
tokenize_texts(const ins_model *model, const ins_host *host)
{
    ins_session *session;
    ins_error error;

    demand(ins_session_open(&session, model, NULL, host, &error) == INS_OK);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        ins_token tokens[MAX_TOKENS];
        size_t count;

        demand(ins_tokenize(session, texts[i], tokens, MAX_TOKENS, &count,
                            &error) == INS_OK);
        demand(count >= 2);
        for (size_t k = 0; k < count && k < MAX_TOKENS; k++) {
            demand(tokens[k].id >= 0 && tokens[k].id < 200);
            demand(tokens[k].start <= tokens[k].end &&
                   tokens[k].end <= texts[i].size);
        }
    }
    ins_session_close(session);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tiny_model source = *shared_model();
    tiny_host host;
    ins_error error = {.status = INS_OK};
    ins_model *model;
    void *pack;
    size_t pack_bytes;

    for (size_t i = 0; i < source.count; i++) {
        if (strcmp(source.files[i].name, "tokenizer.json") == 0) {
            source.files[i].data = data;
            source.files[i].size = size;
        }
    }
    tiny_host_open(&host);
    if (tiny_import(&source, &host.host, &pack, &pack_bytes, &error) ==
        INS_OK) {
        demand(ins_pack_check(pack, pack_bytes, &host.host, &error) == INS_OK);
        demand(ins_model_open(&model, pack, pack_bytes, &host.host, &error) ==
               INS_OK);
        tokenize_texts(model, &host.host);
        ins_model_close(model);
        host.host.release(&host, pack);
    }
    demand(host.live_blocks == 0);
    return 0;
}
