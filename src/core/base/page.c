/*
 * page.c - the frame of an HTML page: one file, no script, light and dark.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#include "base/page.h"

/* The policy forbids scripts and requests even if an escape were missed. */
static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
    "'none'; style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n<title>";

static const char common_style[] =
    ":root{color-scheme:light dark;--page:#fff;--ink:#1c2127;--muted:#5b6672;"
    "--line:#dde2e8;--soft:#f4f6f9;--good:30,99,214;--bad:206,74,20}\n"
    "@media(prefers-color-scheme:dark){:root{--page:#14171c;--ink:#e7eaef;"
    "--muted:#9ba6b4;--line:#2e353f;--soft:#1c2128;--good:104,156,255;"
    "--bad:255,140,82}}\n"
    "body{margin:0;background:var(--page);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif}\n"
    "main{max-width:1080px;margin:0 auto;padding:2rem 1.25rem 4rem}\n"
    "h1{font-size:1.6rem;margin:0 0 1rem}\n"
    "h2{font-size:1.15rem;margin:2.5rem 0 .25rem}\n"
    "p{margin:.25rem 0 1rem;color:var(--muted);max-width:70ch}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.3rem .6rem;text-align:left;"
    "border-bottom:1px solid var(--line)}\n"
    "thead th{color:var(--muted);font-weight:600;font-size:.85rem}\n"
    "tbody th{font-weight:400}\n"
    ".n{text-align:right}\n"
    "bdi{white-space:pre-wrap;overflow-wrap:anywhere}\n"
    ".scroll{overflow-x:auto}\n";

void
ins_page_open(ins_writer *writer, const char *title, const char *style)
{
    ins_write(writer, head);
    ins_write(writer, title);
    ins_write(writer, "</title>\n<style>\n");
    ins_write(writer, common_style);
    ins_write(writer, style);
    ins_write(writer, "</style>\n</head>\n<body>\n<main>\n");
}

void
ins_page_close(ins_writer *writer)
{
    ins_write(writer, "</main>\n</body>\n</html>\n");
}
