/*
 * page.h - the frame of an HTML page: one file, no script, light and dark.
 *
 *     ins_page_open(&writer, "Evaluation", "td.bar{width:30%}");
 *     ins_write(&writer, "<h1>Evaluation</h1>");
 *     ins_page_close(&writer);
 *
 * A page is ASCII but for what comes from the data, so that every server
 * encoding can hold it.  Colours are the variables --page, --ink, --muted,
 * --line, --soft and, as three numbers for rgba(), --good and --bad.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_PAGE_H
#define INS_PAGE_H

#include "base/writer.h"

/* title: HTML; style: rules beside the common ones, or "". */
void ins_page_open(ins_writer *writer, const char *title, const char *style);
void ins_page_close(ins_writer *writer);

#endif
