/*
 * pg_predict.c - models over numbers: predict and its kin.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pg_compat.h"

#include "portability/instr_time.h"
#include "utils/jsonb.h"

#include "insitu_train.h"
#include "pg_datum.h"
#include "pg_error.h"
#include "pg_host.h"
#include "pg_rows.h"
#include "pg_session.h"

/* ---- scores of one row -------------------------------------------------- */

static model_call *
open_predictor(FunctionCallInfo fcinfo)
{
    model_call *call = open_call(fcinfo, 0, DEFAULT_CLASSIFIER);

    if (!ins_model_describe(model_of(call))->can_predict)
        ereport(
            ERROR,
            (errcode(ERRCODE_WRONG_OBJECT_TYPE),
             errmsg("model \"%s\" cannot predict", call->identity.name),
             errdetail("It was made to: %s.", ins_model_tasks(model_of(call))),
             errhint("Models over numbers come from train_tabular().")));
    return call;
}

static const double *
array_features(const model_call *call, ArrayType *array)
{
    uint32_t wanted = ins_model_describe(model_of(call))->feature_count;
    int count;
    const double *features;

    if (ARR_NDIM(array) > 1)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("features must be a one-dimensional array")));
    features = read_numbers(array, &count);
    if ((uint32_t) count != wanted)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("model \"%s\" takes %u features, not %d",
                               call->identity.name, wanted, count),
                        errhint("A missing value is NULL.")));
    return features;
}

static const double *
object_features(const model_call *call, Jsonb *object)
{
    uint32_t count = ins_model_describe(model_of(call))->feature_count;
    double *features = palloc((count + 1) * sizeof(*features));
    ins_host host = host_to_the_end_in(CurrentMemoryContext);
    ins_error error;

    if (ins_predict_read_object(model_of(call), json_text(object), features,
                                &host, &error) != INS_OK) {
        name_model(call, &error);
        raise_failure(&error);
    }
    return features;
}

static float *
score_features(const model_call *call, const double *features)
{
    const ins_model_info *info = ins_model_describe(model_of(call));
    float *scores = palloc(info->label_count * sizeof(*scores));
    counted_call counted = {0};
    instr_time start;
    instr_time end;
    ins_error error;

    INSTR_TIME_SET_CURRENT(start);
    counted.failed = ins_predict(model_of(call), features, info->feature_count,
                                 scores, &error) != INS_OK;
    INSTR_TIME_SET_CURRENT(end);
    INSTR_TIME_SUBTRACT(end, start);
    counted.microseconds = INSTR_TIME_GET_MICROSEC(end);
    counted.rows = counted.failed ? 0 : 1;
    count_call(counters_of(call), &counted);
    if (counted.failed) {
        name_model(call, &error);
        raise_failure(&error);
    }
    return scores;
}

/* Of (model, features), an array or an object. */
static float *
score_array(FunctionCallInfo fcinfo, model_call **call)
{
    *call = open_predictor(fcinfo);
    return score_features(*call,
                          array_features(*call, PG_GETARG_ARRAYTYPE_P(1)));
}

static float *
score_object(FunctionCallInfo fcinfo, model_call **call)
{
    *call = open_predictor(fcinfo);
    return score_features(*call, object_features(*call, PG_GETARG_JSONB_P(1)));
}

/* ---- results ------------------------------------------------------------ */

/* score_array or score_object. */
typedef float *score_arguments(FunctionCallInfo fcinfo, model_call **call);

static Datum
predict_score(FunctionCallInfo fcinfo, score_arguments *score)
{
    model_call *call;
    float *scores = score(fcinfo, &call);

    PG_RETURN_FLOAT8((double) scores[ins_model_positive_label(model_of(call))]);
}

static Datum
predict_label(FunctionCallInfo fcinfo, score_arguments *score)
{
    model_call *call;
    float *scores = score(fcinfo, &call);
    const ins_model *model = model_of(call);
    uint32_t best =
        ins_best_label(scores, ins_model_describe(model)->label_count);

    PG_RETURN_TEXT_P(server_text(ins_model_label(model, best)));
}

static Datum
predict_scores(FunctionCallInfo fcinfo, score_arguments *score)
{
    model_call *call;
    float *scores = score(fcinfo, &call);

    put_scores(fcinfo, call, scores);
    PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(insitu_predict);

Datum
insitu_predict(PG_FUNCTION_ARGS)
{
    return predict_score(fcinfo, score_array);
}

PG_FUNCTION_INFO_V1(insitu_predict_row);

Datum
insitu_predict_row(PG_FUNCTION_ARGS)
{
    return predict_score(fcinfo, score_object);
}

PG_FUNCTION_INFO_V1(insitu_predict_label);

Datum
insitu_predict_label(PG_FUNCTION_ARGS)
{
    return predict_label(fcinfo, score_array);
}

PG_FUNCTION_INFO_V1(insitu_predict_label_row);

Datum
insitu_predict_label_row(PG_FUNCTION_ARGS)
{
    return predict_label(fcinfo, score_object);
}

PG_FUNCTION_INFO_V1(insitu_predict_scores);

Datum
insitu_predict_scores(PG_FUNCTION_ARGS)
{
    return predict_scores(fcinfo, score_array);
}

PG_FUNCTION_INFO_V1(insitu_predict_scores_row);

Datum
insitu_predict_scores_row(PG_FUNCTION_ARGS)
{
    return predict_scores(fcinfo, score_object);
}
