/*
 * test_source_directory.c - what is read, what is refused, and that nothing
 * outside is touched.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/source_directory.h"
#include "unit/scratch_folder.h"

#define LIMIT ((uint64_t) 1 << 30)

static scratch_folder scratch;
static ins_error error;

static char *
path_of(const char *name)
{
    static char paths[4][256];
    static int next = 0;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", scratch.path, name);
    return path;
}

static void
write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* A directory that looks like a model, as far as reading goes. */
static int
set_up(void **state)
{
    (void) state;
    if (scratch_folder_open(&scratch) != 0)
        return -1;
    mkdir(path_of("m"), 0755);
    write_file("m/config.json", "{}");
    write_file("m/vocab.txt", "[PAD]\n");
    write_file("m/model.safetensors", "weights");
    return 0;
}

static int
tear_down(void **state)
{
    (void) state;
    return scratch_folder_close(&scratch);
}

static ins_status
open_within(const char *path, const char *beneath, uint64_t max_bytes)
{
    ins_source *source;
    ins_status status = ins_source_open(&source, path, beneath, max_bytes,
                                        &scratch.memory.host, &error);

    if (status == INS_OK)
        assert_non_null(source);
    else
        assert_null(source);
    ins_source_close(source);
    return status;
}

static ins_status
open_model(void)
{
    return open_within(path_of("m"), NULL, LIMIT);
}

static void
assert_refused(ins_status wanted, const char *words)
{
    ins_status status = open_model();

    if (status != wanted || strstr(error.message, words) == NULL)
        print_message("%s\n", status == INS_OK ? "accepted" : error.message);
    assert_int_equal(status, wanted);
    assert_non_null(strstr(error.message, words));
}

static void
complete_directory_is_read(void **state)
{
    (void) state;
    assert_int_equal(open_model(), INS_OK);
    write_file("m/README.md", "ignored");
    mkdir(path_of("m/1_Pooling"), 0755);
    write_file("m/1_Pooling/config.json", "{}");
    assert_int_equal(open_model(), INS_OK);
    ins_source_close(NULL);
}

static void
failures_name_the_source(void **state)
{
    ins_import_options options = INS_IMPORT_DEFAULTS;
    ins_source *source;
    void *pack;
    size_t size;

    (void) state;
    assert_int_equal(ins_source_open(&source, path_of("m"), NULL, LIMIT,
                                     &scratch.memory.host, &error),
                     INS_OK);
    assert_int_not_equal(ins_source_pack(source, &options, &scratch.memory.host,
                                         &pack, &size, &error),
                         INS_OK);
    assert_null(pack);
    assert_non_null(strstr(error.detail, scratch.path));
    ins_source_close(source);
}

static void
regular_file_is_a_pack(void **state)
{
    ins_import_options options = INS_IMPORT_DEFAULTS;
    ins_source *source;
    void *pack;
    size_t size;

    (void) state;
    write_file("x.pack", "this is no pack");
    assert_int_equal(ins_source_open(&source, path_of("x.pack"), NULL, LIMIT,
                                     &scratch.memory.host, &error),
                     INS_OK);
    assert_int_equal(ins_source_pack(source, &options, &scratch.memory.host,
                                     &pack, &size, &error),
                     INS_CORRUPT_PACK);
    ins_source_close(source);
}

static void
paths_that_are_nothing(void **state)
{
    char longest[5000];

    (void) state;
    assert_int_equal(open_within("", NULL, LIMIT), INS_INVALID_ARGUMENT);
    assert_int_equal(open_within("/nonexistent/x", NULL, LIMIT), INS_NOT_FOUND);
    assert_non_null(strstr(error.message, "/nonexistent/x"));
    assert_int_equal(open_within("/etc/passwd/x", NULL, LIMIT), INS_BAD_SOURCE);
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(open_within(longest, NULL, LIMIT), INS_INVALID_ARGUMENT);
    assert_int_equal(open_within(scratch.path, NULL, LIMIT), INS_BAD_SOURCE);
    assert_non_null(strstr(error.message, "has no config.json"));
}

static void
special_files(void **state)
{
    static const char *const devices[] = {"/dev/zero", "/dev/null",
                                          "/dev/random"};

    (void) state;
    unlink(path_of("m/model.safetensors"));
    assert_int_equal(mkfifo(path_of("m/model.safetensors"), 0600), 0);
    assert_refused(INS_BAD_SOURCE, "model.safetensors\" is not a regular");
    assert_int_equal(open_within(path_of("m/model.safetensors"), NULL, LIMIT),
                     INS_BAD_SOURCE);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(open_within(devices[i], NULL, LIMIT), INS_BAD_SOURCE);
        unlink(path_of("m/model.safetensors"));
        assert_int_equal(symlink(devices[i], path_of("m/model.safetensors")),
                         0);
        assert_refused(INS_BAD_SOURCE, "is not a regular file");
    }
    unlink(path_of("m/vocab.txt"));
    mkdir(path_of("m/vocab.txt"), 0755);
    assert_refused(INS_BAD_SOURCE, "vocab.txt\" is not a regular file");
}

static void
socket_file(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);

    (void) state;
    unlink(path_of("m/vocab.txt"));
    strncpy(address.sun_path, path_of("m/vocab.txt"),
            sizeof(address.sun_path) - 1);
    assert_int_equal(bind(descriptor, (struct sockaddr *) &address,
                          (socklen_t) sizeof(address)),
                     0);
    assert_refused(INS_BAD_SOURCE, "vocab.txt");
    close(descriptor);
}

static void
links(void **state)
{
    (void) state;
    unlink(path_of("m/vocab.txt"));
    assert_int_equal(symlink("nowhere", path_of("m/vocab.txt")), 0);
    assert_refused(INS_NOT_FOUND, "vocab.txt");
    unlink(path_of("m/vocab.txt"));
    assert_int_equal(symlink("vocab.txt", path_of("m/vocab.txt")), 0);
    assert_refused(INS_BAD_SOURCE, "vocab.txt");
    unlink(path_of("m/vocab.txt"));
    write_file("real", "[PAD]\n");
    assert_int_equal(symlink("../real", path_of("m/vocab.txt")), 0);
    assert_int_equal(open_model(), INS_OK);
}

static void
empty_and_huge_files(void **state)
{
    (void) state;
    assert_int_equal(truncate(path_of("m/vocab.txt"), 0), 0);
    assert_refused(INS_BAD_SOURCE, "vocab.txt\" is empty");
    write_file("m/vocab.txt", "[PAD]\n");
    assert_int_equal(truncate(path_of("m/model.safetensors"), (off_t) 20 << 30),
                     0);
    assert_refused(INS_LIMIT_EXCEEDED, "exceeds the limit");
    assert_non_null(strstr(error.detail, "21474836480"));
}

static void
limit_counts_all_files(void **state)
{
    (void) state;
    /* 2 + 6 + 7 bytes */
    assert_int_equal(open_within(path_of("m"), NULL, 15), INS_OK);
    assert_int_equal(open_within(path_of("m"), NULL, 14), INS_LIMIT_EXCEEDED);
}

static void
unreadable_file(void **state)
{
    (void) state;
    if (geteuid() == 0)
        skip();
    chmod(path_of("m/vocab.txt"), 0);
    assert_refused(INS_PERMISSION, "vocab.txt");
}

static void
large_file_storage_pointer(void **state)
{
    (void) state;
    write_file("m/model.safetensors",
               "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
    assert_refused(INS_BAD_SOURCE, "Git LFS pointer");
}

/* A pickle is known to be there and never opened. */
static void
pickle_is_not_opened(void **state)
{
    (void) state;
    assert_int_equal(mkfifo(path_of("m/pytorch_model.bin"), 0600), 0);
    assert_int_equal(open_model(), INS_OK);
}

static void
shards_are_read_by_their_own_names(void **state)
{
    (void) state;
    unlink(path_of("m/model.safetensors"));
    write_file("m/model-00001-of-00002.safetensors", "one");
    mkfifo(path_of("m/model-x-of-00002.safetensors"), 0600);
    assert_int_equal(open_model(), INS_OK);
    assert_int_equal(
        mkfifo(path_of("m/model-00002-of-00002.safetensors"), 0600), 0);
    assert_refused(INS_BAD_SOURCE, "model-00002-of-00002.safetensors");
    /* A single file goes first, and shards are not looked at. */
    write_file("m/model.safetensors", "weights");
    assert_int_equal(open_model(), INS_OK);
}

/* ---- changes while reading ---------------------------------------------- */

static void (*disturb)(void);
static int polls;

static bool
disturbing_poll(void *user)
{
    (void) user;
    /* After the first files, in the middle of the big one. */
    if (++polls == 5)
        disturb();
    return false;
}

static void
shorten(void)
{
    assert_int_equal(truncate(path_of("m/model.safetensors"), 100), 0);
}

static void
lengthen(void)
{
    assert_int_equal(truncate(path_of("m/model.safetensors"), 9 << 20), 0);
}

static void
overwrite(void)
{
    int descriptor = open(path_of("m/model.safetensors"), O_WRONLY);

    assert_int_equal(pwrite(descriptor, "x", 1, 0), 1);
    close(descriptor);
}

static void
changes_are_noticed(void **state)
{
    static void (*const ways[])(void) = {shorten, lengthen, overwrite};
    ins_host watching = scratch.memory.host;

    (void) state;
    watching.cancelled = disturbing_poll;
    for (size_t i = 0; i < 3; i++) {
        ins_source *source;

        assert_int_equal(truncate(path_of("m/model.safetensors"), 8 << 20), 0);
        /* The clock of the file system ticks every few milliseconds. */
        usleep(20000);
        polls = 0;
        disturb = ways[i];
        assert_int_equal(ins_source_open(&source, path_of("m"), NULL, LIMIT,
                                         &watching, &error),
                         INS_BAD_SOURCE);
        assert_true(polls >= 5);
        assert_non_null(strstr(error.message, "changed while"));
    }
}

static bool
cancel_at_once(void *user)
{
    (void) user;
    return true;
}

static void
reading_can_be_cancelled(void **state)
{
    ins_host cancelling = scratch.memory.host;
    ins_source *source;

    (void) state;
    cancelling.cancelled = cancel_at_once;
    assert_int_equal(ins_source_open(&source, path_of("m"), NULL, LIMIT,
                                     &cancelling, &error),
                     INS_CANCELLED);
}

/* ---- beneath ------------------------------------------------------------ */

static void
path_stays_beneath(void **state)
{
    char absolute[300];
    char slashes[300];

    (void) state;
    assert_int_equal(open_within("m", scratch.path, LIMIT), INS_OK);
    assert_int_equal(open_within("./m/", scratch.path, LIMIT), INS_OK);
    assert_int_equal(open_within("m/../m", scratch.path, LIMIT), INS_OK);
    assert_int_equal(open_within(path_of("m"), scratch.path, LIMIT), INS_OK);
    snprintf(slashes, sizeof(slashes), "%s///", scratch.path);
    assert_int_equal(open_within(path_of("m"), slashes, LIMIT), INS_OK);
    assert_int_equal(open_within(path_of("m"), path_of("m"), LIMIT),
                     INS_PERMISSION);
    assert_int_equal(open_within(".", path_of("m"), LIMIT), INS_OK);
    snprintf(absolute, sizeof(absolute), "%s/m/../m", scratch.path);
    assert_int_equal(open_within(absolute, scratch.path, LIMIT), INS_OK);
}

static void
path_that_leaves_is_refused(void **state)
{
    char sibling[300];
    const char *const paths[] = {"..",      "../x", "m/../../x",
                                 "/etc",    "up",   "root/etc",
                                 "m/../..", "/",    path_of("../x")};

    (void) state;
    assert_int_equal(symlink("..", path_of("up")), 0);
    assert_int_equal(symlink("/", path_of("root")), 0);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_int_equal(open_within(paths[i], scratch.path, LIMIT),
                         INS_PERMISSION);
    /* /tmp/a is no prefix of /tmp/ab as a directory. */
    snprintf(sibling, sizeof(sibling), "%sx/m", scratch.path);
    assert_int_equal(open_within(sibling, scratch.path, LIMIT), INS_PERMISSION);
    /* A link made by the kernel, which leads anywhere. */
    assert_int_not_equal(open_within("root", "/proc/self", LIMIT), INS_OK);
}

static void
linked_files_beneath(void **state)
{
    char outside[128];

    (void) state;
    snprintf(outside, sizeof(outside), "%s-outside", scratch.path);
    mkdir(path_of("inside"), 0755);
    /* The layout of a hub cache. */
    mkdir(path_of("blobs"), 0755);
    rename(path_of("m/vocab.txt"), path_of("blobs/1"));
    assert_int_equal(symlink("../blobs/1", path_of("m/vocab.txt")), 0);
    assert_int_equal(open_within("m", scratch.path, LIMIT), INS_OK);
    /* The same link leads out when only m is permitted. */
    assert_int_equal(open_within(".", path_of("m"), LIMIT), INS_PERMISSION);
    unlink(path_of("m/vocab.txt"));
    assert_int_equal(symlink("/etc/passwd", path_of("m/vocab.txt")), 0);
    assert_int_equal(open_within("m", scratch.path, LIMIT), INS_PERMISSION);
    assert_int_equal(open_within("m", NULL, LIMIT) == INS_OK, false);
    unlink(path_of("m/vocab.txt"));
    assert_int_equal(link(path_of("blobs/1"), path_of("m/vocab.txt")), 0);
    assert_int_equal(open_within("m", scratch.path, LIMIT), INS_PERMISSION);
    assert_non_null(strstr(error.message, "hard link"));
    assert_int_equal(open_within(path_of("m"), NULL, LIMIT), INS_OK);
}

static void
missing_root(void **state)
{
    (void) state;
    assert_int_equal(open_within("m", "/nonexistent", LIMIT), INS_NOT_FOUND);
}

/* ---- adapters ----------------------------------------------------------- */

/* An adapter "a" beside the model, which names its base so. */
static void
make_adapter(const char *base)
{
    char text[512];

    mkdir(path_of("a"), 0755);
    snprintf(text, sizeof(text), "{\"base_model_name_or_path\":\"%s\"}", base);
    write_file("a/adapter_config.json", text);
    write_file("a/adapter_model.safetensors", "weights");
}

static void
base_of_an_adapter_is_read(void **state)
{
    (void) state;
    make_adapter("../m");
    assert_int_equal(open_within(path_of("a"), NULL, LIMIT), INS_OK);
    assert_int_equal(open_within(path_of("a/"), NULL, LIMIT), INS_OK);
    make_adapter(path_of("m"));
    assert_int_equal(open_within(path_of("a"), NULL, LIMIT), INS_OK);
    /* The limit is for both directories: 7 bytes, 15 and the settings. */
    make_adapter("../m");
    assert_int_equal(open_within(path_of("a"), NULL, 7 + 15 + 34), INS_OK);
    assert_int_equal(open_within(path_of("a"), NULL, 7 + 15 + 33),
                     INS_LIMIT_EXCEEDED);
}

static void
assert_no_base(const char *base, ins_status wanted, const char *words)
{
    ins_status status;

    make_adapter(base);
    status = open_within(path_of("a"), NULL, LIMIT);
    if (status != wanted || strstr(error.message, words) == NULL)
        print_message("%s: %s\n", base,
                      status == INS_OK ? "accepted" : error.message);
    assert_int_equal(status, wanted);
    assert_non_null(strstr(error.message, words));
}

static void
base_that_is_no_directory(void **state)
{
    char longest[400];

    (void) state;
    assert_no_base("google/bert_uncased", INS_NOT_FOUND,
                   "\"google/bert_uncased\" is no directory");
    assert_non_null(strstr(error.detail, "/a/google/bert_uncased"));
    assert_non_null(strstr(error.hint, "base_model_name_or_path"));
    assert_no_base("/nonexistent", INS_NOT_FOUND, "is no directory");
    assert_no_base("", INS_BAD_SOURCE, "base_model_name_or_path\" is missing");
    write_file("file", "a pack, perhaps");
    assert_no_base("../file", INS_BAD_SOURCE, "is no directory");
    assert_no_base("/dev/zero", INS_BAD_SOURCE, "not a regular file");
    assert_no_base("..", INS_BAD_SOURCE, "has no config.json");
    memset(longest, 'x', sizeof(longest));
    longest[300] = '\0';
    assert_no_base(longest, INS_BAD_SOURCE, "could not open");
    /* A link of the base that leads nowhere is not the base's absence. */
    unlink(path_of("m/vocab.txt"));
    assert_int_equal(symlink("nowhere", path_of("m/vocab.txt")), 0);
    assert_no_base("../m", INS_NOT_FOUND, "/../m/vocab.txt");
}

/* The settings of the base's own base are not followed. */
static void
base_that_is_an_adapter(void **state)
{
    ins_import_options options = INS_IMPORT_DEFAULTS;
    ins_source *source;
    void *pack;
    size_t size;

    (void) state;
    make_adapter("../a");
    assert_int_equal(ins_source_open(&source, path_of("a"), NULL, LIMIT,
                                     &scratch.memory.host, &error),
                     INS_OK);
    assert_int_not_equal(ins_source_pack(source, &options, &scratch.memory.host,
                                         &pack, &size, &error),
                         INS_OK);
    ins_source_close(source);
}

static void
base_stays_beneath(void **state)
{
    const char *const outside[] = {"../../m", "../..", "/etc", "../up/m"};
    char absolute[300];

    (void) state;
    mkdir(path_of("in"), 0755);
    rename(path_of("m"), path_of("in/m"));
    mkdir(path_of("m"), 0755);
    write_file("m/config.json", "{}");
    make_adapter("../m");
    rename(path_of("a"), path_of("in/a"));
    assert_int_equal(open_within("a", path_of("in"), LIMIT), INS_OK);
    assert_int_equal(open_within(path_of("in/a"), path_of("in"), LIMIT),
                     INS_OK);
    assert_int_equal(symlink("..", path_of("in/up")), 0);
    for (size_t i = 0; i < 4; i++) {
        make_adapter(outside[i]);
        rename(path_of("a/adapter_config.json"),
               path_of("in/a/adapter_config.json"));
        assert_int_equal(open_within("a", path_of("in"), LIMIT),
                         INS_PERMISSION);
    }
    snprintf(absolute, sizeof(absolute), "%s/in/m", scratch.path);
    make_adapter(absolute);
    rename(path_of("a/adapter_config.json"),
           path_of("in/a/adapter_config.json"));
    assert_int_equal(open_within("a", path_of("in"), LIMIT), INS_OK);
    assert_int_equal(link(path_of("in/m/vocab.txt"), path_of("second")), 0);
    assert_int_equal(open_within("a", path_of("in"), LIMIT), INS_PERMISSION);
}

/* ---- memory ------------------------------------------------------------- */

static void
every_allocation_may_fail(void **state)
{
    tiny_host *memory = &scratch.memory;

    (void) state;
    make_adapter("../m");
    memory->persistent = true;
    for (size_t n = 1; n <= 100; n++) {
        ins_source *source;
        ins_status status;

        memory->calls = 0;
        memory->fail_at = n;
        status = ins_source_open(&source, path_of("a"), NULL, LIMIT,
                                 &memory->host, &error);
        ins_source_close(source);
        assert_int_equal(memory->live_blocks, 0);
        if (status == INS_OK) {
            assert_true(n > 1);
            return;
        }
        assert_int_equal(status, INS_NO_MEMORY);
    }
    fail();
}

static void
descriptors_are_closed(void **state)
{
    struct rlimit limit;

    (void) state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    write_file("m/1_Pooling", "a file, not a directory");
    make_adapter("../m");
    for (rlim_t i = 0; i < limit.rlim_cur + 10 && i < 3000; i++) {
        open_model();
        open_within("m", scratch.path, LIMIT);
        open_within("..", scratch.path, LIMIT);
        open_within("a", scratch.path, LIMIT);
        open_within("a", path_of("a"), LIMIT);
    }
    assert_int_equal(open_within("m", scratch.path, LIMIT), INS_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(complete_directory_is_read),
        TEST(failures_name_the_source),
        TEST(regular_file_is_a_pack),
        TEST(paths_that_are_nothing),
        TEST(special_files),
        TEST(socket_file),
        TEST(links),
        TEST(empty_and_huge_files),
        TEST(limit_counts_all_files),
        TEST(unreadable_file),
        TEST(large_file_storage_pointer),
        TEST(pickle_is_not_opened),
        TEST(shards_are_read_by_their_own_names),
        TEST(changes_are_noticed),
        TEST(reading_can_be_cancelled),
        TEST(path_stays_beneath),
        TEST(path_that_leaves_is_refused),
        TEST(linked_files_beneath),
        TEST(missing_root),
        TEST(base_of_an_adapter_is_read),
        TEST(base_that_is_no_directory),
        TEST(base_that_is_an_adapter),
        TEST(base_stays_beneath),
        TEST(every_allocation_may_fail),
        TEST(descriptors_are_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
