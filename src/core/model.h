/*
 * model.h - what the public handle ins_model points to; for api_*.c only.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_MODEL_H
#define INS_MODEL_H

#include "insitu.h"
#include "pack/pack_reader.h"

struct ins_model {
    ins_host host;
    ins_pack_view view;
    ins_model_info info;
};

#endif
