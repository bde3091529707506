/*
 * pg_jansson.c - keeps jansson's json_object() apart from the server's.
 *
 * postgres exports a function of the same name, which the dynamic linker
 * would find first, and which crashes when it is called without arguments.
 * The library is linked with --wrap=json_object, so that the core's calls
 * come here; jansson's other names are its own.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <jansson.h>

json_t *__wrap_json_object(void);

json_t *
__wrap_json_object(void)
{
    return json_loadb("{}", 2, 0, NULL);
}
