/*
 * pg_batch.c - classify_batch and embed_batch: an array of texts,
 * insitu.batch_size of them in one pass.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg_datum.h"
#include "pg_rows.h"
#include "pg_session.h"
#include "pg_settings.h"

#define MAX_BATCH_TEXTS 100000
#define MAX_BATCH_BYTES (256 << 20)
/* Texts of one pass in all; one text may be as long as any. */
#define MAX_PASS_BYTES (16 << 20)

typedef struct text_batch {
    Datum *elements;
    bool *nulls;
    int count;
    int next;        /* the first element that no pass has had */
    int values;      /* floats per result */
    ins_text *texts; /* [batch_size] */
    float *results;  /* [batch_size][values] */
} text_batch;

static void
read_array(FunctionCallInfo fcinfo, text_batch *batch)
{
    ArrayType *array;

    if (toast_raw_datum_size(PG_GETARG_DATUM(0)) > MAX_BATCH_BYTES)
        ereport(ERROR,
                (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                 errmsg("a batch has at most %d bytes", MAX_BATCH_BYTES)));
    array = PG_GETARG_ARRAYTYPE_P(0);
    if (ARR_NDIM(array) > 1)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("inputs must be a one-dimensional array")));
    if (ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) > MAX_BATCH_TEXTS)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("inputs has %d texts, more than the limit of "
                               "%d",
                               ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)),
                               MAX_BATCH_TEXTS)));
    deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &batch->elements,
                      &batch->nulls, &batch->count);
}

/* Returns how many elements a pass takes, NULL ones too. */
static int
gather_texts(text_batch *batch, int *text_count)
{
    size_t bytes = 0;
    int end = batch->next;

    *text_count = 0;
    while (end < batch->count && *text_count < setting_batch_size &&
           bytes < MAX_PASS_BYTES) {
        if (!batch->nulls[end]) {
            ins_text input = input_text(batch->elements[end]);

            bytes += input.size;
            batch->texts[(*text_count)++] = input;
        }
        end++;
    }
    return end - batch->next;
}

typedef void put_result(row_sink *sink, model_call *call, int number,
                        const float *values, int count);

static void
run_batch(FunctionCallInfo fcinfo, default_model fallback, ins_task task,
          put_result *put)
{
    model_call *call = open_call(fcinfo, 1, fallback);
    MemoryContext caller = CurrentMemoryContext;
    MemoryContext pass = AllocSetContextCreate(
        CurrentMemoryContext, "insitu batch", ALLOCSET_DEFAULT_SIZES);
    const ins_model_info *info = ins_model_describe(model_of(call));
    text_batch batch = {0};
    row_sink sink;

    check_task(call, task);
    read_array(fcinfo, &batch);
    begin_rows(fcinfo, &sink);
    batch.values = (int) (task == INS_TASK_CLASSIFY ? info->label_count
                                                    : info->embedding_size);
    batch.texts = palloc(sizeof(ins_text) * (Size) setting_batch_size);
    batch.results = MemoryContextAllocHuge(
        CurrentMemoryContext,
        sizeof(float) * (Size) setting_batch_size * (Size) batch.values);
    while (batch.next < batch.count) {
        int texts;
        int taken;
        int done = 0;

        CHECK_FOR_INTERRUPTS();
        MemoryContextSwitchTo(pass);
        taken = gather_texts(&batch, &texts);
        if (texts > 0)
            run_call(call, task, batch.texts, (size_t) texts, batch.results,
                     (size_t) batch.values);
        for (int i = 0; i < taken; i++) {
            bool is_null = batch.nulls[batch.next + i];
            const float *row = batch.results + (Size) done * batch.values;

            put(&sink, call, batch.next + i + 1, is_null ? NULL : row,
                batch.values);
            done += !is_null;
        }
        batch.next += taken;
        MemoryContextSwitchTo(caller);
        MemoryContextReset(pass);
    }
    MemoryContextDelete(pass);
}

static void
put_label(row_sink *sink, model_call *call, int number, const float *scores,
          int count)
{
    bool nulls[] = {false, scores == NULL, scores == NULL};
    Datum values[3] = {Int32GetDatum(number), 0, 0};

    if (scores != NULL) {
        uint32_t best = ins_best_label(scores, (uint32_t) count);

        values[1] =
            PointerGetDatum(server_text(ins_model_label(model_of(call), best)));
        values[2] = Float4GetDatum(scores[best]);
    }
    put_row(sink, values, nulls);
}

static void
put_embedding(row_sink *sink, model_call *call, int number,
              const float *embedding, int count)
{
    bool nulls[] = {false, embedding == NULL};
    Datum values[2] = {Int32GetDatum(number), 0};

    (void) call;
    if (embedding != NULL) {
        float *copy;
        ArrayType *array = make_real_array((uint32_t) count, &copy);

        memcpy(copy, embedding, sizeof(float) * (Size) count);
        values[1] = PointerGetDatum(array);
    }
    put_row(sink, values, nulls);
}

PG_FUNCTION_INFO_V1(insitu_classify_batch);

Datum
insitu_classify_batch(PG_FUNCTION_ARGS)
{
    run_batch(fcinfo, DEFAULT_CLASSIFIER, INS_TASK_CLASSIFY, put_label);
    PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(insitu_embed_batch);

Datum
insitu_embed_batch(PG_FUNCTION_ARGS)
{
    run_batch(fcinfo, DEFAULT_EMBEDDER, INS_TASK_EMBED, put_embedding);
    PG_RETURN_NULL();
}
