/*
 * digest.c - SHA-256 of a pack, over libmd.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "insitu_import.h"

#include <sha2.h>

#include "base/memory.h"

#define BYTES_PER_POLL ((size_t) 1 << 20)

struct ins_digest {
    ins_host host;
    SHA2_CTX state;
};

ins_status
ins_digest_open(ins_digest **digest, const ins_host *host, ins_error *error)
{
    void *memory;

    *digest = NULL;
    INS_TRY(ins_alloc(host, 1, sizeof(ins_digest), &memory, error));
    *digest = memory;
    (*digest)->host = *host;
    SHA256Init(&(*digest)->state);
    return INS_OK;
}

void
ins_digest_add(ins_digest *digest, const void *data, size_t size)
{
    SHA256Update(&digest->state, data, size);
}

void
ins_digest_close(ins_digest *digest, uint8_t out[INS_DIGEST_BYTES])
{
    ins_host host;

    if (digest == NULL)
        return;
    host = digest->host;
    SHA256Final(out, &digest->state);
    ins_release(&host, digest);
}

ins_status
ins_digest_of(const void *data, size_t size, const ins_host *host,
              uint8_t out[INS_DIGEST_BYTES], ins_error *error)
{
    const uint8_t *bytes = data;
    SHA2_CTX state;

    SHA256Init(&state);
    while (size > 0) {
        size_t step = size < BYTES_PER_POLL ? size : BYTES_PER_POLL;

        INS_TRY(ins_poll(host, error));
        SHA256Update(&state, bytes, step);
        bytes += step;
        size -= step;
    }
    SHA256Final(out, &state);
    return INS_OK;
}
