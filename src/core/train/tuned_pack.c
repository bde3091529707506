/*
 * tuned_pack.c - trained weights to a pack, with the tokenizer of the base.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/tuned_pack.h"

#include "pack/pack_rows.h"
#include "pack/pack_writer.h"

uint32_t
ins_tuned_weights(const ins_pack_recipe *base, ins_weights_choice choice)
{
    const uint32_t types[] = {
        [INS_WEIGHTS_CHOICE_DEFAULT] = base->weights,
        [INS_WEIGHTS_CHOICE_F32] = INS_WEIGHTS_F32,
        [INS_WEIGHTS_CHOICE_BF16] = INS_WEIGHTS_BF16,
        [INS_WEIGHTS_CHOICE_INT8] = INS_WEIGHTS_INT8,
    };

    return types[choice];
}

static ins_pack_recipe
recipe_of(const ins_tuned_model *tuned)
{
    ins_pack_recipe recipe = tuned->parameters->recipe;

    if (tuned->words != NULL)
        recipe.head_words = tuned->word_rows;
    return recipe;
}

static ins_status
put_words(const ins_tuned_model *tuned, const ins_pack_view *view,
          uint8_t *pack, ins_error *error)
{
    const ins_pack_tensor *tensor =
        ins_pack_find_tensor(view, INS_ROLE_HEAD_WORDS, 0);

    INS_CHECK(tensor != NULL, error, INS_INTERNAL,
              "the pack has no place for words");
    return ins_pack_put_rows(tensor, pack + tensor->offset, tuned->words,
                             &tuned->parameters->host, error);
}

static ins_status
write_pack(const ins_tuned_model *tuned, uint64_t max_bytes, void **pack,
           size_t *pack_bytes, ins_error *error)
{
    ins_pack_contents contents = ins_pack_contents_of(tuned->base);
    ins_pack_view view;

    contents.recipe = recipe_of(tuned);
    contents.labels = *tuned->labels;
    INS_TRY(ins_pack_write(&contents, max_bytes, &tuned->parameters->host, pack,
                           pack_bytes, error));
    INS_TRY(ins_pack_read(&view, *pack, *pack_bytes, error));
    if (tuned->words != NULL)
        INS_TRY(put_words(tuned, &view, *pack, error));
    return ins_parameters_write(tuned->parameters, &view, *pack, error);
}

ins_status
ins_tuned_pack(const ins_tuned_model *tuned, uint64_t max_bytes, void **pack,
               size_t *pack_bytes, ins_error *error)
{
    ins_status status;

    *pack = NULL;
    *pack_bytes = 0;
    status = write_pack(tuned, max_bytes, pack, pack_bytes, error);
    if (status != INS_OK) {
        ins_release(&tuned->parameters->host, *pack);
        *pack = NULL;
        *pack_bytes = 0;
    }
    return status;
}
