/*
 * fine_tune.h - trains a whole encoder with its head on labelled texts.
 *
 * Source: Devlin et al. (2018), section 4; the head is fitted first
 * (head_start.h), AdamW with a linear schedule (adamw.h), batches of similar
 * length (batches.h); what comes out is a mean of weights (Polyak & Juditsky
 * 1992; Izmailov et al. 2018), which fades after the option averaging, and of
 * those that the run began with the share that base_share says (Wortsman et al.
 * 2022, "Robust fine-tuning of zero-shot models").
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_FINE_TUNE_H
#define INS_FINE_TUNE_H

#include "train/progress.h"
#include "train/tuner.h"

/* What a plan of a progress calls the whole of ins_fine_tune. */
#define INS_FINE_TUNE_WORK "tune"
/* A row that is learnt from, in rows that are only read: forward and back
 * takes three times forward. */
#define INS_LEARN_UNITS 3

/* All borrowed. */
typedef struct ins_fine_tune_job {
    const ins_pack_view *base;
    const ins_pack_recipe *recipe; /* of the result: ins_fine_tune_recipe */
    const ins_tune_rows *rows;     /* cut to the limit; each label has a row */
} ins_fine_tune_job;

typedef struct ins_fine_tune_figures {
    uint32_t epochs; /* trained */
    uint32_t best;   /* the epoch whose weights these are; 0 = the base with a
                        fitted head, which no epoch came near */
    double loss;     /* mean of the last epoch */
    uint64_t held_rows;   /* held back */
    double held_loss;     /* of that epoch; NaN without held-back rows */
    double held_accuracy; /* likewise; with several labels per row all must be
                             right */
} ins_fine_tune_figures;

/*
 * The recipe of a model tuned from base.  When base embeds the head reads the
 * embedding, without a dense layer; otherwise it is as in base.
 * INS_WEIGHTS_CHOICE_DEFAULT: the number type of base.
 */
void ins_fine_tune_recipe(const ins_pack_recipe *base, uint32_t labels,
                          bool multi_label, ins_weights_choice weights,
                          ins_pack_recipe *recipe);
/* Memory that count rows, of at most longest tokens each, need at its height,
 * beside themselves. */
uint64_t ins_fine_tune_bytes(const ins_pack_recipe *recipe,
                             const ins_training_options *options,
                             uint64_t count, uint32_t longest);
/*
 * Of the options of progress: seed, l2, epochs, batch_size, learning_rate,
 * warmup, weight_decay, dropout, token_dropout, averaging, base_share,
 * freeze_layers, validation, patience.  Tells the phases embed, fit, train and
 * validate; the fraction goes through the part of the plan that is called
 * INS_FINE_TUNE_WORK.
 *
 * *tuned: owned by the caller, from progress->real, NULL after a failure: the
 * weights of the last epoch whose accuracy on the held-back rows is within one
 * standard error of the best (with several labels per row: of the epoch with
 * the lowest loss), or of the last one without such rows.
 * Equal jobs give equal weights on the same machine.
 * Errors: INVALID_ARGUMENT, CANCELLED, NO_MEMORY, INTERNAL when the loss is not
 * a number.
 */
ins_status ins_fine_tune(const ins_fine_tune_job *job, ins_progress *progress,
                         ins_parameters **tuned, ins_fine_tune_figures *figures,
                         ins_error *error);

#endif
