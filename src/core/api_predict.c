/*
 * api_predict.c - models over numbers: a row of features to a row of scores.
 *
 * The head is small and the features are few, so it is computed column by
 * column from where the weights lie, without scratch memory.  Sums have one
 * order and are double, so equal packs give equal bits.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "insitu_train.h"

#include <math.h>
#include <string.h>

#include "base/order.h"
#include "formats/json.h"
#include "kernels/kernels.h"
#include "model.h"
#include "train/tabular.h"

#define MAX_NUMBER_CHARS 12

ins_text
ins_model_feature(const ins_model *model, uint32_t feature)
{
    if (feature >= model->info.feature_count)
        return (ins_text){"", 0};
    return ins_string_at(&model->view.pieces, feature);
}

uint32_t
ins_model_positive_label(const ins_model *model)
{
    return model->info.can_predict ? model->view.recipe->position_offset : 0;
}

static ins_status
check_task(const ins_model *model, ins_error *error)
{
    if (model->info.can_predict)
        return INS_OK;
    ins_fail(error, INS_WRONG_TASK, "the model cannot predict: its task is %s",
             ins_model_tasks(model));
    ins_fail_hint(error, "Train a model over numbers with the method tabular.");
    return INS_WRONG_TASK;
}

/* ---- computing ----------------------------------------------------------- */

/* A layer in panels of 64 outputs; see pack_tensors.h. */
struct layer {
    const float *weights;
    const float *bias;
    uint32_t inputs;
    uint32_t outputs;
};

static struct layer
find_layer(const ins_model *model, uint32_t role, uint32_t bias_role)
{
    const ins_pack_view *view = &model->view;
    const ins_pack_tensor *tensor = ins_pack_find_tensor(view, role, 0);

    return (struct layer){
        .weights = ins_pack_f32(view, role, 0),
        .bias = ins_pack_f32(view, bias_role, 0),
        .inputs = tensor->columns,
        .outputs = tensor->rows,
    };
}

static uint32_t
outputs_of_panel(const struct layer *layer, uint32_t panel)
{
    uint32_t left = layer->outputs - panel * INS_PANEL_OUTPUTS;

    return left < INS_PANEL_OUTPUTS ? left : INS_PANEL_OUTPUTS;
}

static uint32_t
panel_count(const struct layer *layer)
{
    return (uint32_t) ins_panel_count(layer->outputs);
}

/* sums += input number input * its weights */
static void
add_input(const struct layer *layer, uint32_t panel, uint32_t input,
          double value, double sums[INS_PANEL_OUTPUTS])
{
    const float *weights =
        layer->weights +
        ((size_t) panel * layer->inputs + input) * INS_PANEL_OUTPUTS;

    for (uint32_t i = 0; i < INS_PANEL_OUTPUTS; i++)
        sums[i] += value * (double) weights[i];
}

/* The outputs of one panel from the features. */
static void
run_panel(const ins_model *model, const struct layer *layer, uint32_t panel,
          const double *features, float outputs[INS_PANEL_OUTPUTS])
{
    const float *means = ins_pack_f32(&model->view, INS_ROLE_FEATURES, 0);
    const float *rests = means + layer->inputs;
    const float *factors = rests + layer->inputs;
    double sums[INS_PANEL_OUTPUTS] = {0};

    for (uint32_t i = 0; i < layer->inputs; i++) {
        double mean = (double) means[i] + (double) rests[i];
        double distance = features[i] - mean;

        /* A missing value is the mean. */
        if (!isnan(features[i]) && factors[i] != 0)
            add_input(layer, panel, i, distance * (double) factors[i], sums);
    }
    for (uint32_t i = 0; i < outputs_of_panel(layer, panel); i++)
        outputs[i] =
            (float) (sums[i] +
                     (double) layer->bias[panel * INS_PANEL_OUTPUTS + i]);
}

/* scores += what the units of one panel give. */
static void
add_units(const struct layer *out, uint32_t first, uint32_t count,
          const float *units, float *scores)
{
    for (uint32_t panel = 0; panel < panel_count(out); panel++) {
        double sums[INS_PANEL_OUTPUTS] = {0};

        for (uint32_t i = 0; i < count; i++)
            add_input(out, panel, first + i, (double) units[i], sums);
        for (uint32_t i = 0; i < outputs_of_panel(out, panel); i++)
            scores[panel * INS_PANEL_OUTPUTS + i] += (float) sums[i];
    }
}

static ins_status
run_logistic(const ins_model *model, const struct layer *out,
             const double *features, float *scores, ins_error *error)
{
    for (uint32_t panel = 0; panel < panel_count(out); panel++) {
        float outputs[INS_PANEL_OUTPUTS];

        INS_TRY(ins_poll(&model->host, error));
        run_panel(model, out, panel, features, outputs);
        memcpy(scores + panel * INS_PANEL_OUTPUTS, outputs,
               outputs_of_panel(out, panel) * sizeof(float));
    }
    return INS_OK;
}

static ins_status
run_network(const ins_model *model, const struct layer *out,
            const ins_kernels *kernels, const double *features, float *scores,
            ins_error *error)
{
    struct layer dense =
        find_layer(model, INS_ROLE_HEAD_DENSE, INS_ROLE_HEAD_DENSE_BIAS);

    memcpy(scores, out->bias, out->outputs * sizeof(float));
    for (uint32_t panel = 0; panel < panel_count(&dense); panel++) {
        uint32_t count = outputs_of_panel(&dense, panel);
        float units[INS_PANEL_OUTPUTS];

        INS_TRY(ins_poll(&model->host, error));
        run_panel(model, &dense, panel, features, units);
        kernels->activate(INS_ACTIVATION_TANH, units, count);
        add_units(out, panel * INS_PANEL_OUTPUTS, count, units, scores);
    }
    return INS_OK;
}

ins_status
ins_predict(const ins_model *model, const double *features, size_t count,
            float *scores, ins_error *error)
{
    uint32_t labels = model->info.label_count;
    const ins_kernels *kernels;
    struct layer out;

    INS_TRY(check_task(model, error));
    INS_CHECK(count == model->info.feature_count, error, INS_INVALID_ARGUMENT,
              "the model predicts from %u features, not %zu",
              model->info.feature_count, count);
    /* As in the rows of a training. */
    for (size_t i = 0; i < count; i++)
        INS_CHECK(
            isnan(features[i]) || fabs(features[i]) <= INS_LARGEST_FEATURE,
            error, INS_INVALID_ARGUMENT,
            "feature %zu is infinite or too large for a 32-bit float", i + 1);
    INS_TRY(ins_kernels_select(NULL, &kernels, error));
    out = find_layer(model, INS_ROLE_HEAD_OUT, INS_ROLE_HEAD_OUT_BIAS);
    if (model->view.recipe->flags & INS_RECIPE_HEAD_DENSE)
        INS_TRY(run_network(model, &out, kernels, features, scores, error));
    else
        INS_TRY(run_logistic(model, &out, features, scores, error));
    kernels->softmax(scores, labels);
    for (uint32_t i = 0; i < labels; i++)
        INS_CHECK(isfinite(scores[i]), error, INS_INTERNAL,
                  "the model gave a score that is not a number");
    return INS_OK;
}

/* ---- reading an object --------------------------------------------------- */

/* The first feature whose name is not before the text; names of objects are
 * sorted by their bytes.  Anything else is merely not found. */
static uint32_t
find_place(const ins_model *model, ins_text text)
{
    uint32_t low = 0;
    uint32_t high = model->info.feature_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (ins_text_compare(ins_model_feature(model, middle), text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool
begins_with(ins_text name, ins_text start)
{
    return name.size >= start.size &&
           memcmp(name.data, start.data, start.size) == 0;
}

/* The number of a feature "1", "2", ..., from 0; UINT32_MAX otherwise. */
static uint32_t
read_number(ins_text key)
{
    uint32_t number = 0;

    if (key.size == 0 || key.size > MAX_NUMBER_CHARS || key.data[0] == '0')
        return UINT32_MAX;
    for (size_t i = 0; i < key.size; i++) {
        if (key.data[i] < '0' || key.data[i] > '9' || number > INS_MAX_HIDDEN)
            return UINT32_MAX;
        number = number * 10 + (uint32_t) (key.data[i] - '0');
    }
    return number - 1;
}

struct reading {
    const ins_model *model;
    double *features;
    const ins_json *json;
    ins_error *error;
};

static bool
has_name(const struct reading *reading, uint32_t feature, ins_text name)
{
    return feature < reading->model->info.feature_count &&
           ins_text_compare(ins_model_feature(reading->model, feature), name) ==
               0;
}

/* A number or truth value is a feature of its own. */
static ins_status
read_value(const struct reading *reading, const char *key, uint32_t feature,
           const json_t *value)
{
    if (json_is_boolean(value)) {
        reading->features[feature] = json_is_true(value) ? 1 : 0;
        return INS_OK;
    }
    if (!json_is_number(value))
        return ins_json_fail(reading->json, key, "a number or a truth value",
                             reading->error);
    reading->features[feature] = json_number_value(value);
    return INS_OK;
}

/* All features "key=..." become 0, but the one with this string. */
static ins_status
read_string(const struct reading *reading, const char *key, ins_text prefix,
            uint32_t first, const json_t *value)
{
    const ins_model *model = reading->model;
    ins_text text = {json_string_value(value), json_string_length(value)};

    if (!json_is_string(value))
        return ins_json_fail(reading->json, key, "a string", reading->error);
    for (uint32_t i = first; i < model->info.feature_count; i++) {
        ins_text name = ins_model_feature(model, i);

        if (!begins_with(name, prefix))
            break;
        reading->features[i] =
            name.size - prefix.size == text.size &&
            (text.size == 0 ||
             memcmp(name.data + prefix.size, text.data, text.size) == 0);
    }
    return INS_OK;
}

static ins_status
read_key(const struct reading *reading, const char *key, const json_t *value)
{
    char buffer[INS_MAX_PIECE_BYTES + 1];
    ins_text name = {key, strlen(key)};
    ins_text prefix = {buffer, name.size + 1};
    uint32_t place;

    if (name.size < INS_MAX_PIECE_BYTES) {
        memcpy(buffer, key, name.size);
        buffer[name.size] = '=';
        place = find_place(reading->model, prefix);
        if (place < reading->model->info.feature_count &&
            begins_with(ins_model_feature(reading->model, place), prefix))
            return json_is_null(value)
                       ? INS_OK
                       : read_string(reading, key, prefix, place, value);
    }
    place = find_place(reading->model, name);
    if (!has_name(reading, place, name))
        place = read_number(name);
    if (has_name(reading, place, name))
        return json_is_null(value) ? INS_OK
                                   : read_value(reading, key, place, value);
    ins_fail(reading->error, INS_INVALID_ARGUMENT,
             "the model has no feature \"%s\"", key);
    ins_fail_hint(reading->error, "Give the keys that the model was trained "
                                  "on; its description lists the features.");
    return INS_INVALID_ARGUMENT;
}

static ins_status
read_object(const struct reading *reading, const ins_host *host)
{
    json_t *object = (json_t *) reading->json->value;
    void *at = json_object_iter(object);

    INS_CHECK(json_is_object(object), reading->error, INS_INVALID_ARGUMENT,
              "the features must be a JSON object");
    for (; at != NULL; at = json_object_iter_next(object, at)) {
        INS_TRY(ins_poll(host, reading->error));
        INS_TRY(read_key(reading, json_object_iter_key(at),
                         json_object_iter_value(at)));
    }
    return INS_OK;
}

ins_status
ins_predict_read_object(const ins_model *model, ins_text text, double *features,
                        const ins_host *host, ins_error *error)
{
    const ins_json_limits limits = {INS_FEATURES_BYTES, INS_FEATURES_VALUES,
                                    true};
    ins_json json = {"features", "", INS_INVALID_ARGUMENT, NULL};
    const struct reading reading = {model, features, &json, error};
    ins_status status;

    INS_TRY(check_task(model, error));
    for (uint32_t i = 0; i < model->info.feature_count; i++)
        features[i] = NAN;
    INS_TRY(ins_json_open(&json, text, &limits, host, error));
    status = read_object(&reading, host);
    ins_json_close(&json);
    return status;
}
