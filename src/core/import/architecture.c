/*
 * architecture.c - the table of architectures.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "import/architecture.h"

#include <string.h>

static const ins_architecture *const architectures[] = {
#define INS_ARCHITECTURE(name) &ins_arch_##name,
#include "import/architectures.def"
#undef INS_ARCHITECTURE
};

/* Each name with a space before it. */
const char ins_architecture_list[] =
#define INS_ARCHITECTURE(name) " " #name
#include "import/architectures.def"
#undef INS_ARCHITECTURE
    ;

const ins_architecture *
ins_architecture_find(const char *model_type)
{
    const size_t count = sizeof(architectures) / sizeof(architectures[0]);

    for (size_t i = 0; i < count; i++)
        if (strcmp(architectures[i]->model_type, model_type) == 0)
            return architectures[i];
    return NULL;
}
