/*
 * tuned_pack.c - trained weights to a pack, with the tokenizer of the base.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "train/tuned_pack.h"

#include <string.h>

#include "pack/pack_writer.h"

#define VALUES_PER_POLL ((uint64_t) 1 << 20)
#define EXPONENT_BITS   0x7F800000u /* all set: infinity or NaN */

static ins_status
check_finite(const ins_parameters *tuned, ins_error *error)
{
    uint32_t infinite = 0;

    for (uint64_t i = 0; i < tuned->count; i++) {
        uint32_t bits;

        if (i % VALUES_PER_POLL == 0)
            INS_TRY(ins_poll(&tuned->host, error));
        memcpy(&bits, &tuned->values[i], sizeof(bits));
        infinite |= (bits & EXPONENT_BITS) == EXPONENT_BITS;
    }
    INS_CHECK(infinite == 0, error, INS_INTERNAL,
              "the training gave weights that are not numbers");
    return INS_OK;
}

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

static ins_status
write_pack(const ins_parameters *tuned, const ins_pack_contents *contents,
           uint64_t max_bytes, void **pack, size_t *pack_bytes,
           ins_error *error)
{
    ins_pack_view view;

    INS_TRY(ins_pack_write(contents, max_bytes, &tuned->host, pack, pack_bytes,
                           error));
    INS_TRY(ins_pack_read(&view, *pack, *pack_bytes, error));
    return ins_parameters_write(tuned, &view, *pack, error);
}

ins_status
ins_tuned_pack(const ins_parameters *tuned, const ins_pack_view *base,
               const ins_string_table *labels, uint64_t max_bytes, void **pack,
               size_t *pack_bytes, ins_error *error)
{
    ins_pack_contents contents = ins_pack_contents_of(base);
    ins_status status;

    contents.recipe = tuned->recipe;
    contents.labels = *labels;
    *pack = NULL;
    *pack_bytes = 0;
    INS_TRY(check_finite(tuned, error));
    status = write_pack(tuned, &contents, max_bytes, pack, pack_bytes, error);
    if (status != INS_OK) {
        ins_release(&tuned->host, *pack);
        *pack = NULL;
        *pack_bytes = 0;
    }
    return status;
}
