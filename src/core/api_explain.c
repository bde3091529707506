/*
 * api_explain.c - the functions of insitu_explain.h.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "insitu_explain.h"

#include <string.h>

#include "explain/explain.h"
#include "model.h"
#include "tokenizer/tokenizer.h"

/* One text on its way; everything is released at the end. */
struct explained {
    const ins_model *model;
    const ins_host *host;
    ins_tokenizer *tokenizer;
    ins_token *tokens; /* [max_tokens] */
    float *values;     /* [max_tokens] */
    ins_parameters *parameters;
    size_t count; /* tokens */
    ins_error *error;
};

static ins_status
check_arguments(const ins_model *model, uint32_t label, ins_error *error)
{
    if (!model->info.can_classify)
        return ins_fail(error, INS_WRONG_TASK,
                        "the model cannot classify: its task is %s",
                        ins_model_tasks(model));
    INS_CHECK(label < model->info.label_count, error, INS_INVALID_ARGUMENT,
              "the model has %u labels, there is no number %u",
              model->info.label_count, label);
    return INS_OK;
}

static ins_status
tokenize(struct explained *self, ins_text text, bool *truncated)
{
    uint32_t limit = self->model->info.max_tokens;
    void *memory;

    INS_TRY(ins_tokenizer_open(&self->tokenizer, &self->model->view, self->host,
                               self->error));
    INS_TRY(
        ins_alloc(self->host, limit, sizeof(ins_token), &memory, self->error));
    self->tokens = memory;
    INS_TRY(ins_alloc(self->host, limit, sizeof(float), &memory, self->error));
    self->values = memory;
    return ins_tokenizer_run(self->tokenizer, (ins_text){"", 0}, text, limit,
                             self->tokens, limit, &self->count, truncated,
                             self->error);
}

static ins_status
read_weights(struct explained *self)
{
    const ins_pack_view *view = &self->model->view;

    INS_TRY(ins_parameters_open(&self->parameters, view->recipe, self->host,
                                self->error));
    return ins_parameters_read(self->parameters, view, self->error);
}

static ins_status
explain_tokens(struct explained *self, ins_explanation *explanation)
{
    const ins_pack_view *view = &self->model->view;
    ins_path path = {
        .parameters = self->parameters,
        .tokens = self->tokens,
        .count = (uint32_t) self->count,
        .pad_id = view->tokenizer->pad_id,
        .label = explanation->label,
        .values = self->values,
    };
    void *memory;

    INS_TRY(ins_path_run(&path, self->host, self->error));
    explanation->score = path.score;
    explanation->baseline = path.baseline;
    INS_TRY(ins_alloc(self->host, self->count, sizeof(ins_contribution),
                      &memory, self->error));
    explanation->words = memory;
    explanation->count = ins_words_sum(view, self->tokens, self->values,
                                       path.count, explanation->words);
    return INS_OK;
}

ins_status
ins_explain(ins_explanation *explanation, const ins_model *model, ins_text text,
            uint32_t label, const ins_host *host, ins_error *error)
{
    struct explained self = {.model = model, .host = host, .error = error};
    ins_status status;

    memset(explanation, 0, sizeof(*explanation));
    INS_TRY(check_arguments(model, label, error));
    explanation->label = label;
    status = tokenize(&self, text, &explanation->truncated);
    if (status == INS_OK)
        status = read_weights(&self);
    if (status == INS_OK)
        status = explain_tokens(&self, explanation);
    ins_parameters_close(self.parameters);
    ins_tokenizer_close(self.tokenizer);
    ins_release(host, self.values);
    ins_release(host, self.tokens);
    return status;
}

void
ins_explanation_close(ins_explanation *explanation, const ins_host *host)
{
    ins_release(host, explanation->words);
    explanation->words = NULL;
    explanation->count = 0;
}

ins_status
ins_explanation_html(const ins_explanation *explanation, const ins_model *model,
                     ins_text text, const ins_host *host, char **html,
                     size_t *size, ins_error *error)
{
    ins_html_page page = {
        .explanation = explanation,
        .text = text,
        .label = ins_model_label(model, explanation->label),
        .max_tokens = model->info.max_tokens,
    };

    return ins_html_write(&page, host, html, size, error);
}
