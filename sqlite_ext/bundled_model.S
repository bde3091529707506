/*
 * bundled_model.S - the pack of the shipped model, inside the library.
 * INSITU_BUNDLED_PACK is its path, given by the Makefile.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
    .section .rodata.insitu_bundled_pack, "a", %progbits
    .balign 64
    .global insitu_bundled_pack
    .hidden insitu_bundled_pack
    .type insitu_bundled_pack, %object
insitu_bundled_pack:
    .incbin INSITU_BUNDLED_PACK
    .global insitu_bundled_pack_end
    .hidden insitu_bundled_pack_end
insitu_bundled_pack_end:
    .byte 0
    .size insitu_bundled_pack, . - insitu_bundled_pack
    .section .note.GNU-stack, "", %progbits
