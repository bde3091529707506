/*
 * export_model.c - export_model PACK DIRECTORY [f32|f16]: a pack to a Hugging
 * Face directory, which transformers and sentence-transformers read and
 * make_pack turns into a pack again.
 *
 * What those libraries cannot say, a head that reads the embedding, is in
 * config.json under "insitu_head" (docs/importing-models.md).
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "insitu_import.h"
#include "tools/export.h"

#define MAX_PATH 4096

static void *
allocate(void *user, size_t size)
{
    (void) user;
    return malloc(size);
}

static void
release(void *user, void *memory)
{
    (void) user;
    free(memory);
}

void
export_fail(const char *format, ...)
{
    va_list arguments;

    fputs("export_model: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

/* ---- writing ------------------------------------------------------------- */

static void
make_directory(const char *path)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        export_fail("%s: %s", path, strerror(errno));
}

/* "x": what is there already is somebody's. */
void
export_bytes(const export_job *job, const char *name, const void *bytes,
             size_t size)
{
    char path[MAX_PATH];
    int length = snprintf(path, sizeof(path), "%s/%s", job->directory, name);
    char *slash = path + strlen(job->directory) + 1;
    FILE *file;
    int failed;

    if (length < 0 || (size_t) length >= sizeof(path))
        export_fail("%s: the path is too long", job->directory);
    for (slash = strchr(slash, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        make_directory(path);
        *slash = '/';
    }
    file = fopen(path, "wbx");
    if (file == NULL)
        export_fail("%s: %s", path, strerror(errno));
    failed = fwrite(bytes, 1, size, file) != size;
    failed |= fclose(file) != 0;
    if (failed)
        export_fail("%s: %s", path, strerror(errno));
}

void
export_json(const export_job *job, const char *name, json_t *value)
{
    /* Nine digits are enough for every float. */
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(9));

    if (text == NULL)
        export_fail("%s: out of memory", name);
    export_bytes(job, name, text, strlen(text));
    free(text);
    json_decref(value);
}

json_t *
export_string(ins_text text)
{
    json_t *string = json_stringn(text.data, text.size);

    if (string == NULL)
        export_fail("the pack holds a text that JSON cannot: %.*s",
                    text.size < 64 ? (int) text.size : 64, text.data);
    return string;
}

/* ---- reading ------------------------------------------------------------- */

static void *
read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    void *bytes;

    if (file == NULL || fstat(fileno(file), &info) != 0)
        export_fail("%s: %s", path, strerror(errno));
    *size = (size_t) info.st_size;
    /* The size of an aligned block is a multiple of the alignment. */
    bytes = aligned_alloc(64, (*size + 64) / 64 * 64);
    if (bytes == NULL)
        export_fail("%s: out of memory", path);
    if (fread(bytes, 1, *size, file) != *size)
        export_fail("%s: cannot be read", path);
    fclose(file);
    return bytes;
}

/* What the architecture's configuration has no word for. */
static void
check_recipe(const export_job *job)
{
    const ins_pack_recipe *recipe = job->view->recipe;

    if ((job->architecture->keys.token_types == NULL) !=
        (recipe->token_types == 0))
        export_fail("the token types do not fit the architecture \"%s\"",
                    recipe->architecture);
    if (job->architecture->keys.norm_epsilon == NULL &&
        recipe->norm_epsilon != 1e-12f)
        export_fail("the norm's epsilon does not fit the architecture \"%s\"",
                    recipe->architecture);
    if (recipe->position_offset != 0)
        export_fail("positions that do not begin at 0 are not supported");
}

int
main(int argc, char **argv)
{
    const ins_host host = {.alloc = allocate, .release = release};
    ins_pack_view view;
    export_job job = {.view = &view};
    ins_error error;
    void *pack;
    size_t size;

    if (argc < 3 || argc > 4 ||
        (argc == 4 && strcmp(argv[3], "f32") != 0 &&
         strcmp(argv[3], "f16") != 0)) {
        fputs("usage: export_model PACK DIRECTORY [f32|f16]\n", stderr);
        return 2;
    }
    job.directory = argv[2];
    job.is_half = argc == 4 && strcmp(argv[3], "f16") == 0;
    pack = read_file(argv[1], &size);
    if (ins_pack_check(pack, size, &host, &error) != INS_OK ||
        ins_pack_read(&view, pack, size, &error) != INS_OK)
        export_fail("%s: %s", argv[1], error.message);
    job.architecture = ins_architecture_find(view.recipe->architecture);
    if (job.architecture == NULL)
        export_fail("%s: a model of architecture \"%.*s\" cannot be exported",
                    argv[1], INS_MAX_ARCHITECTURE_BYTES,
                    view.recipe->architecture);
    check_recipe(&job);
    make_directory(job.directory);
    export_config(&job);
    export_tokenizer(&job);
    export_weights(&job);
    free(pack);
    return 0;
}
