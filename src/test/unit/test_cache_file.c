/*
 * test_cache_file.c - the cache protocol, also with dying and competing
 * processes.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/cache_file.h"
#include "unit/scratch_folder.h"

#define CONTENT_BYTES 100000

static scratch_folder scratch;
static char content[CONTENT_BYTES];
static uint8_t digest[INS_DIGEST_BYTES];
static char key[INS_CACHE_KEY_BYTES];

static int
set_up(void **state)
{
    ins_error error;

    (void) state;
    if (scratch_folder_open(&scratch) != 0)
        return -1;
    for (size_t i = 0; i < CONTENT_BYTES; i++)
        content[i] = (char) (i * 7 + i / 256);
    if (ins_digest_of(content, CONTENT_BYTES, &scratch.memory.host, digest,
                      &error) != INS_OK)
        return -1;
    ins_cache_key(key, digest);
    return 0;
}

static int
tear_down(void **state)
{
    (void) state;
    return scratch_folder_close(&scratch);
}

static void
path_of(char path[256], const char *suffix)
{
    snprintf(path, 256, "%s/%s%s", scratch.path, key, suffix);
}

static bool
exists(const char *suffix)
{
    char path[256];
    struct stat status;

    path_of(path, suffix);
    return lstat(path, &status) == 0;
}

static void
write_file(const char *suffix, const char *text, mode_t mode)
{
    char path[256];
    FILE *file;

    path_of(path, suffix);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

/* Locks, fills in pieces and commits; the status of the first failure. */
static ins_status
fill(ins_error *error)
{
    ins_cache_filler *filler;
    ins_status status =
        ins_cache_lock(&filler, scratch.path, key, &scratch.memory.host, error);

    if (status == INS_OK)
        status = ins_cache_begin(filler, CONTENT_BYTES, error);
    for (size_t i = 0; status == INS_OK && i < CONTENT_BYTES; i += 30000) {
        size_t left = CONTENT_BYTES - i;

        status = ins_cache_append(filler, content + i,
                                  left < 30000 ? left : 30000, error);
    }
    if (status == INS_OK)
        status = ins_cache_commit(filler, digest, error);
    ins_cache_unlock(filler);
    return status;
}

static void
assert_only_the_pack_is_left(void)
{
    assert_true(exists(".pack"));
    assert_false(exists(".tmp"));
    assert_false(exists(".lock"));
}

static void
key_is_digest_and_version(void **state)
{
    (void) state;
    assert_int_equal(strspn(key, "0123456789abcdef"), 64);
    assert_string_equal(key + 64, "-1");
}

static void
missing_file_is_not_found(void **state)
{
    ins_mapping mapping;
    ins_error error;

    (void) state;
    assert_int_equal(ins_cache_map(&mapping, scratch.path, key, 1, &error),
                     INS_NOT_FOUND);
    assert_null(mapping.data);
    assert_int_equal(ins_cache_map(&mapping, "/nonexistent", key, 1, &error),
                     INS_NOT_FOUND);
}

static void
filled_file_is_mapped(void **state)
{
    ins_mapping mapping;
    ins_error error;
    char path[256];
    struct stat status;

    (void) state;
    assert_int_equal(fill(&error), INS_OK);
    assert_only_the_pack_is_left();
    path_of(path, ".pack");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0400);
    assert_int_equal(
        ins_cache_map(&mapping, scratch.path, key, CONTENT_BYTES, &error),
        INS_OK);
    assert_int_equal(mapping.size, CONTENT_BYTES);
    assert_memory_equal(mapping.data, content, CONTENT_BYTES);
    /* Removing the file leaves the mapping alone. */
    assert_int_equal(ins_cache_remove(scratch.path, key, &error), INS_OK);
    assert_false(exists(".pack"));
    assert_memory_equal(mapping.data, content, CONTENT_BYTES);
    ins_mapping_close(&mapping);
    ins_mapping_close(&mapping);
    assert_int_equal(ins_cache_remove(scratch.path, key, &error), INS_OK);
    assert_int_equal(ins_cache_remove("/nonexistent", key, &error), INS_OK);
}

static void
wrong_size_is_corrupt(void **state)
{
    ins_mapping mapping;
    ins_error error;

    (void) state;
    assert_int_equal(fill(&error), INS_OK);
    assert_int_equal(
        ins_cache_map(&mapping, scratch.path, key, CONTENT_BYTES - 1, &error),
        INS_CORRUPT_PACK);
    assert_int_equal(
        ins_cache_map(&mapping, scratch.path, key, CONTENT_BYTES + 1, &error),
        INS_CORRUPT_PACK);
}

static void
strange_files_are_refused(void **state)
{
    ins_mapping mapping;
    ins_error error;
    char path[256];

    (void) state;
    write_file(".pack", "abc", 0666);
    assert_int_equal(ins_cache_map(&mapping, scratch.path, key, 3, &error),
                     INS_PERMISSION);
    path_of(path, ".pack");
    unlink(path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_not_equal(ins_cache_map(&mapping, scratch.path, key, 3, &error),
                         INS_OK);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(ins_cache_map(&mapping, scratch.path, key, 3, &error),
                     INS_IO_ERROR);
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_not_equal(ins_cache_map(&mapping, scratch.path, key, 3, &error),
                         INS_OK);
}

static void
lock_is_exclusive(void **state)
{
    ins_cache_filler *first;
    ins_cache_filler *second;
    ins_error error;

    (void) state;
    assert_int_equal(
        ins_cache_lock(&first, scratch.path, key, &scratch.memory.host, &error),
        INS_OK);
    assert_int_equal(ins_cache_lock(&second, scratch.path, key,
                                    &scratch.memory.host, &error),
                     INS_BUSY);
    assert_null(second);
    /* The one who was refused has not taken the lock file away. */
    assert_true(exists(".lock"));
    assert_int_equal(ins_cache_lock(&second, scratch.path, key,
                                    &scratch.memory.host, &error),
                     INS_BUSY);
    ins_cache_unlock(first);
    assert_false(exists(".lock"));
    assert_int_equal(ins_cache_lock(&second, scratch.path, key,
                                    &scratch.memory.host, &error),
                     INS_OK);
    ins_cache_unlock(second);
    ins_cache_unlock(NULL);
}

/* flock on a file that was unlinked in the meantime is worth nothing. */
static void
lock_on_a_removed_file_does_not_count(void **state)
{
    ins_cache_filler *filler;
    ins_error error;
    char path[256];
    int old;

    (void) state;
    path_of(path, ".lock");
    old = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(flock(old, LOCK_EX), 0);
    unlink(path);
    assert_int_equal(ins_cache_lock(&filler, scratch.path, key,
                                    &scratch.memory.host, &error),
                     INS_OK);
    ins_cache_unlock(filler);
    close(old);
}

static void
damaged_content_is_not_committed(void **state)
{
    ins_cache_filler *filler;
    ins_error error;

    (void) state;
    assert_int_equal(ins_cache_lock(&filler, scratch.path, key,
                                    &scratch.memory.host, &error),
                     INS_OK);
    assert_int_equal(ins_cache_begin(filler, 10, &error), INS_OK);
    assert_int_equal(ins_cache_append(filler, "0123456789", 10, &error),
                     INS_OK);
    assert_int_equal(ins_cache_append(filler, "x", 1, &error),
                     INS_CORRUPT_PACK);
    assert_int_equal(ins_cache_commit(filler, digest, &error),
                     INS_CORRUPT_PACK);
    ins_cache_unlock(filler);
    assert_false(exists(".pack"));
    assert_false(exists(".tmp"));

    assert_int_equal(ins_cache_lock(&filler, scratch.path, key,
                                    &scratch.memory.host, &error),
                     INS_OK);
    assert_int_equal(ins_cache_commit(filler, digest, &error), INS_INTERNAL);
    assert_int_equal(ins_cache_append(filler, "x", 1, &error), INS_INTERNAL);
    assert_int_equal(ins_cache_begin(filler, 10, &error), INS_OK);
    assert_int_equal(ins_cache_append(filler, "012345678", 9, &error), INS_OK);
    assert_int_equal(ins_cache_commit(filler, digest, &error),
                     INS_CORRUPT_PACK);
    ins_cache_unlock(filler);
    assert_false(exists(".pack"));
}

static void
impossible_sizes_are_refused(void **state)
{
    static const uint64_t sizes[] = {0, UINT64_MAX, (uint64_t) 1 << 63};
    ins_error error;

    (void) state;
    for (size_t i = 0; i < 3; i++) {
        ins_cache_filler *filler;

        assert_int_equal(ins_cache_lock(&filler, scratch.path, key,
                                        &scratch.memory.host, &error),
                         INS_OK);
        assert_int_equal(ins_cache_begin(filler, sizes[i], &error),
                         INS_INVALID_ARGUMENT);
        ins_cache_unlock(filler);
    }
}

/* More than any disk has: refused when it is reserved. */
static void
full_disk_is_an_error(void **state)
{
    ins_cache_filler *filler;
    ins_error error;

    (void) state;
    assert_int_equal(ins_cache_lock(&filler, scratch.path, key,
                                    &scratch.memory.host, &error),
                     INS_OK);
    assert_int_equal(ins_cache_begin(filler, (uint64_t) 1 << 60, &error),
                     INS_DISK_FULL);
    ins_cache_unlock(filler);
    assert_false(exists(".tmp"));
}

static void
file_size_limit_raises_no_signal(void **state)
{
    pid_t child = fork();
    int status;

    (void) state;
    if (child == 0) {
        struct rlimit limit = {1000, 1000};
        ins_error error;

        setrlimit(RLIMIT_FSIZE, &limit);
        _exit(fill(&error) == INS_DISK_FULL ? 0 : 1);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_false(exists(".tmp"));
}

static void
dead_filler_leaves_nothing_in_the_way(void **state)
{
    pid_t child = fork();
    int status;
    ins_mapping mapping;
    ins_error error;

    (void) state;
    if (child == 0) {
        ins_cache_filler *filler;

        if (ins_cache_lock(&filler, scratch.path, key, &scratch.memory.host,
                           &error) == INS_OK &&
            ins_cache_begin(filler, CONTENT_BYTES, &error) == INS_OK &&
            ins_cache_append(filler, content, 1000, &error) == INS_OK)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_true(exists(".tmp"));
    assert_true(exists(".lock"));
    assert_int_equal(fill(&error), INS_OK);
    assert_only_the_pack_is_left();
    assert_int_equal(
        ins_cache_map(&mapping, scratch.path, key, CONTENT_BYTES, &error),
        INS_OK);
    assert_memory_equal(mapping.data, content, CONTENT_BYTES);
    ins_mapping_close(&mapping);
}

/* A process that wants the file, as the header describes it. */
static int
want_file(void)
{
    ins_mapping mapping;
    ins_error error;

    for (int i = 0; i < 10000; i++) {
        ins_cache_filler *filler;
        ins_status status;

        if (ins_cache_map(&mapping, scratch.path, key, CONTENT_BYTES, &error) ==
            INS_OK)
            return memcmp(mapping.data, content, CONTENT_BYTES) == 0 ? 0 : 1;
        status = ins_cache_lock(&filler, scratch.path, key,
                                &scratch.memory.host, &error);
        if (status == INS_BUSY) {
            usleep(500);
            continue;
        }
        if (status != INS_OK)
            return 2;
        ins_cache_unlock(filler);
        status = fill(&error);
        if (status != INS_OK && status != INS_BUSY)
            return 3;
    }
    return 4;
}

static void
many_processes_agree(void **state)
{
    pid_t children[12];

    (void) state;
    for (int i = 0; i < 12; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(want_file());
    }
    for (int i = 0; i < 12; i++) {
        int status;

        waitpid(children[i], &status, 0);
        assert_int_equal(status, 0);
    }
    assert_only_the_pack_is_left();
}

static void
directory_is_made_private(void **state)
{
    ins_cache_filler *filler;
    ins_error error;
    char made[128];
    char missing[128];
    struct stat status;

    (void) state;
    snprintf(made, sizeof(made), "%s/new", scratch.path);
    snprintf(missing, sizeof(missing), "%s/none/new", scratch.path);
    assert_int_equal(
        ins_cache_lock(&filler, missing, key, &scratch.memory.host, &error),
        INS_NOT_FOUND);
    assert_int_equal(
        ins_cache_lock(&filler, made, key, &scratch.memory.host, &error),
        INS_OK);
    ins_cache_unlock(filler);
    assert_int_equal(stat(made, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    assert_int_equal(ins_cache_lock(&filler, "/etc/passwd", key,
                                    &scratch.memory.host, &error),
                     INS_BAD_SOURCE);
    assert_non_null(strstr(error.message, "/etc/passwd"));
}

static void
any_file_is_mapped_within_its_limit(void **state)
{
    ins_mapping mapping;
    ins_error error;
    char path[256];

    (void) state;
    write_file(".x", "hello", 0644);
    path_of(path, ".x");
    assert_int_equal(ins_file_map(&mapping, path, 5, &error), INS_OK);
    assert_memory_equal(mapping.data, "hello", 5);
    ins_mapping_close(&mapping);
    assert_int_equal(ins_file_map(&mapping, path, 4, &error),
                     INS_LIMIT_EXCEEDED);
    assert_int_equal(ins_file_map(&mapping, scratch.path, 4, &error),
                     INS_BAD_SOURCE);
    assert_int_equal(ins_file_map(&mapping, "/nonexistent", 4, &error),
                     INS_NOT_FOUND);
    write_file(".x", "", 0644);
    assert_int_equal(ins_file_map(&mapping, path, 4, &error), INS_CORRUPT_PACK);
}

static void
other_path(char path[256], char letter, const char *suffix)
{
    char digits[65];

    memset(digits, letter, 64);
    digits[64] = '\0';
    snprintf(path, 256, "%s/%s%s", scratch.path, digits, suffix);
}

/* A file of another digest, mapped so many seconds ago. */
static void
make_other(char letter, const char *suffix, time_t age)
{
    struct timespec times[2] = {{.tv_sec = time(NULL) - age},
                                {.tv_sec = time(NULL) - age}};
    char path[256];
    int descriptor;

    other_path(path, letter, suffix);
    descriptor = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(ftruncate(descriptor, 50000), 0);
    assert_int_equal(futimens(descriptor, times), 0);
    close(descriptor);
}

static bool
has_other(char letter, const char *suffix)
{
    char path[256];
    struct stat status;

    other_path(path, letter, suffix);
    return stat(path, &status) == 0;
}

static void
sweeping_removes_the_longest_unused(void **state)
{
    ins_error error;

    (void) state;
    assert_int_equal(fill(&error), INS_OK);
    make_other('a', "-1.pack", 300);
    make_other('b', "-1.pack", 200);
    make_other('c', "-7.pack", 100);
    ins_cache_sweep(scratch.path, key, 250000);
    assert_true(has_other('a', "-1.pack"));
    ins_cache_sweep(scratch.path, key, 249999);
    assert_false(has_other('a', "-1.pack"));
    assert_true(has_other('b', "-1.pack"));
    ins_cache_sweep(scratch.path, key, 0);
    assert_false(has_other('b', "-1.pack"));
    assert_false(has_other('c', "-7.pack"));
    assert_true(exists(".pack"));
    ins_cache_sweep("/nonexistent", key, 0);
}

static void
mapping_counts_as_use(void **state)
{
    ins_mapping mapping;
    ins_error error;
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    char path[256];

    (void) state;
    assert_int_equal(fill(&error), INS_OK);
    make_other('a', "-1.pack", 300);
    path_of(path, ".pack");
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(
        ins_cache_map(&mapping, scratch.path, key, CONTENT_BYTES, &error),
        INS_OK);
    ins_mapping_close(&mapping);
    ins_cache_sweep(scratch.path, "other", CONTENT_BYTES);
    assert_true(exists(".pack"));
    assert_false(has_other('a', "-1.pack"));
}

static void
sweeping_leaves_other_files(void **state)
{
    static const char *const names[] = {"-1.pack.bak", "-.pack", ".pack",
                                        "-1.lock",     "-1.txt", "-x.pack"};

    (void) state;
    for (size_t i = 0; i < 6; i++)
        make_other('a', names[i], 1000000);
    make_other('a', "-1.tmp", 1000000);
    make_other('b', "-1.tmp", 1000);
    ins_cache_sweep(scratch.path, key, 0);
    for (size_t i = 0; i < 6; i++)
        assert_true(has_other('a', names[i]));
    assert_false(has_other('a', "-1.tmp"));
    assert_true(has_other('b', "-1.tmp"));
}

static void
every_allocation_may_fail(void **state)
{
    tiny_host *memory = &scratch.memory;

    (void) state;
    memory->persistent = true;
    for (size_t n = 1; n <= 20; n++) {
        ins_cache_filler *filler;
        ins_error error;
        ins_status status;

        memory->calls = 0;
        memory->fail_at = n;
        status =
            ins_cache_lock(&filler, scratch.path, key, &memory->host, &error);
        if (status == INS_OK)
            status = ins_cache_begin(filler, CONTENT_BYTES, &error);
        ins_cache_unlock(filler);
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
long_paths_keep_their_end(void **state)
{
    ins_mapping mapping;
    ins_error error;
    char path[1000];

    (void) state;
    memset(path, 'x', sizeof(path));
    path[0] = '/';
    strcpy(path + sizeof(path) - 9, "/the-end");
    assert_int_not_equal(ins_file_map(&mapping, path, 5, &error), INS_OK);
    assert_non_null(strstr(error.message, "the-end"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(key_is_digest_and_version),
        TEST(missing_file_is_not_found),
        TEST(filled_file_is_mapped),
        TEST(wrong_size_is_corrupt),
        TEST(strange_files_are_refused),
        TEST(lock_is_exclusive),
        TEST(lock_on_a_removed_file_does_not_count),
        TEST(damaged_content_is_not_committed),
        TEST(impossible_sizes_are_refused),
        TEST(full_disk_is_an_error),
        TEST(file_size_limit_raises_no_signal),
        TEST(dead_filler_leaves_nothing_in_the_way),
        TEST(many_processes_agree),
        TEST(directory_is_made_private),
        TEST(any_file_is_mapped_within_its_limit),
        TEST(every_allocation_may_fail),
        TEST(long_paths_keep_their_end),
        TEST(sweeping_removes_the_longest_unused),
        TEST(mapping_counts_as_use),
        TEST(sweeping_leaves_other_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
