/*
 * make_tokenizer_classes.mjs - what the reference does with every code point.
 *
 *   node make_tokenizer_classes.mjs MODULES fixtures
 *
 * MODULES is a node_modules folder with the package "tokenizers" (the
 * reference, compiled from Rust); make_tokenizer_fixture.mjs runs this script
 * too.  Writes the tables of character classes (class_ranges.h) and, for
 * test_tokenizer_code_points.c, one FNV-1a sum per 1024 code points over what
 * each becomes under each option of BertNormalizer and over the number of
 * parts that BertPreTokenizer makes of it.
 *
 * The reference's classes are those of Unicode 8, its lower case is that of
 * Unicode 17; this is why the classes are not taken from a library.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
import fs from 'node:fs';
import path from 'node:path';
import {createRequire} from 'node:module';

const [modules, fixtures] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, 'x.js'));
const rust = require(path.resolve(modules, 'tokenizers'));
const classesFile = new URL('../../core/unicode/class_ranges.h',
  import.meta.url);
const sumsFile = path.join(fixtures, 'tokenizer_code_points', 'sums.txt');

const OFF = {cleanText: false, handleChineseChars: false, stripAccents: false,
  lowercase: false};
const ON = {cleanText: true, handleChineseChars: true, stripAccents: true,
  lowercase: true};
// In the order of enum ins_tokenizer_flags, then all of them.
const normalizers = [{...OFF, cleanText: true},
  {...OFF, handleChineseChars: true}, {...OFF, stripAccents: true},
  {...OFF, lowercase: true}, ON].map((options) => rust.bertNormalizer(options));
const splitter = rust.bertPreTokenizer();

const controls = [];
const punctuation = [];
const marks = [];

function add(ranges, code) {
  const last = ranges[ranges.length - 1];
  if (last && last[1] === code - 1) last[1] = code;
  else ranges.push([code, code]);
}

function describe(code) {
  const text = String.fromCodePoint(code);
  const results = normalizers.map((one) => one.normalizeString(text));
  const parts = splitter.preTokenizeString(`a${text}b`).length;
  if (code >= 0x80 && code !== 0xFFFD) {
    if (results[0] === '') add(controls, code);
    if (results[2] === '') add(marks, code);
    if (parts === 3) add(punctuation, code);
  }
  const hex = (result) => [...result].map((one) =>
    one.codePointAt(0).toString(16)).join(' ');
  return [code.toString(16), ...results.map(hex), parts].join('|') + '\n';
}

const sums = [];
for (let start = 0; start < 0x110000; start += 1024) {
  let sum = 2166136261;
  for (let code = start; code < start + 1024; code++) {
    if (code >= 0xD800 && code < 0xE000) continue;
    for (const byte of Buffer.from(describe(code)))
      sum = Math.imul(sum ^ byte, 16777619) >>> 0;
  }
  sums.push(`${start.toString(16)} ${sum.toString(16)}`);
}
fs.mkdirSync(path.dirname(sumsFile), {recursive: true});
fs.writeFileSync(sumsFile, sums.join('\n') + '\n');

function table(name, comment, ranges) {
  const hex = (code) => '0x' + code.toString(16).toUpperCase();
  const rows = ranges.map(([a, b]) => `{${hex(a)}, ${hex(b)}},`);
  const lines = [];
  for (const row of rows) {
    const last = lines[lines.length - 1];
    if (last && last.length + 1 + row.length <= 80)
      lines[lines.length - 1] = `${last} ${row}`;
    else lines.push(`    ${row}`);
  }
  return `/* ${comment} */\nstatic const ins_code_range ${name}[] = {\n` +
    lines.join('\n') + '\n};\n';
}

fs.writeFileSync(classesFile, `/*
 * class_ranges.h - the reference tokenizer's character classes, for classes.c.
 *
 * Written by src/test/parity/make_tokenizer_classes.mjs; do not edit.  ASCII is
 * left out.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef INS_CLASS_RANGES_H
#define INS_CLASS_RANGES_H

#include <stdint.h>

typedef struct ins_code_range {
    uint32_t first;
    uint32_t last;
} ins_code_range;

/* clang-format off */
${table('control_ranges', 'Categories Cc, Cf and Co of Unicode 8.', controls)}
${table('punctuation_ranges', 'Categories P* of Unicode 8.', punctuation)}
${table('mark_ranges', 'Category Mn of Unicode 8.', marks)}/* clang-format on */

#endif
`);
