/*
 * pg_settings.h - the settings insitu.*, defined in pg_module.c.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef PG_SETTINGS_H
#define PG_SETTINGS_H

#include <stdbool.h>

#define BUNDLED_MODEL "insitu-mini-en"

typedef enum long_input_choice {
    LONG_INPUT_TRUNCATE,
    LONG_INPUT_ERROR
} long_input_choice;

/* Chosen by any user. */
extern char *setting_default_classifier;
extern char *setting_default_embedder;
extern int setting_on_long_input; /* a long_input_choice */
extern int setting_batch_size;    /* texts per pass */
extern bool setting_batch_plans;
extern char *setting_kernels; /* a level, or "auto" */
extern int setting_memo_size; /* kB; 0 = no memo */

/* Chosen by superusers. */
extern char *setting_model_path;     /* "" = nowhere */
extern int setting_max_loaded_bytes; /* per backend, 0 = no limit */
extern int setting_max_input_bytes;  /* of one text */
extern int setting_train_max_memory; /* kB, of one training */
extern int setting_debug_load_delay; /* milliseconds per chunk */

/* In the configuration file only: all backends must agree. */
extern char *setting_cache_directory; /* "" = beneath the data directory */

#endif
