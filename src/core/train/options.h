/*
 * options.h - the ranges of a training's options, for callers that did not
 * parse them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_TRAIN_OPTIONS_H
#define INS_TRAIN_OPTIONS_H

#include "insitu_train.h"

/* The ranges of ins_training_options_parse, whatever the method.  Errors:
 * INVALID_ARGUMENT, naming the option.  Changes nothing. */
ins_status ins_training_options_check(ins_training_options *options,
                                      ins_error *error);

#endif
