/*
 * make_tokenizer_fixture.mjs - strings of many scripts and the token ids that
 * the reference gives for them.
 *
 *   node make_tokenizer_fixture.mjs MODULES fixtures [tokenizer.json count]
 *
 * MODULES is a node_modules folder with the packages "tokenizers" (the
 * reference, compiled from Rust) and "@huggingface/tokenizers" (the JavaScript
 * tokenizer of "@huggingface/transformers"); make parity-fixtures installs
 * them outside of this tree.  Without the optional arguments it writes
 * fixtures/tokenizer_*: vocabularies of our own, built here from the strings,
 * and for each string the ids.  With them it writes count strings and their
 * ids for another tokenizer.json to standard output.
 *
 * Where the two packages differ the Rust one wins.  Known differences: the
 * JavaScript one strips only the accents U+0300 to U+036F (the reference: all
 * of category Mn), lower-cases a final sigma by context (the reference: each
 * character by itself), and takes the Unicode version of its engine.  The
 * count of differing strings is printed.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {createRequire} from 'node:module';
import {pathToFileURL} from 'node:url';

const [modules, folder, otherTokenizer, otherCount] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, 'x.js'));
const rust = require(path.resolve(modules, 'tokenizers'));
const js = await import(pathToFileURL(path.resolve(
  modules, '@huggingface/tokenizers/dist/tokenizers.mjs')).href);

const SPECIALS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const STRINGS = 5400;

// A small generator with a seed (mulberry32), so that runs repeat.
let state = 20260101;
function random() {
  state = (state + 0x6D2B79F5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];

// Ranges of code points, by script; unassigned ones are drawn again.
const SCRIPTS = {
  latin: [[0x61, 0x7A], [0x61, 0x7A], [0x41, 0x5A]],
  accents: [[0xC0, 0x17F], [0x61, 0x7A], [0x300, 0x36F]],
  vietnamese: [[0x1EA0, 0x1EF9], [0x61, 0x7A]],
  greek: [[0x386, 0x3CE], [0x1F00, 0x1FFE]],
  cyrillic: [[0x400, 0x45F], [0x430, 0x44F]],
  armenian: [[0x531, 0x587]], hebrew: [[0x5D0, 0x5EA], [0x5B0, 0x5BD]],
  arabic: [[0x621, 0x64A], [0x64B, 0x655], [0x660, 0x669]],
  devanagari: [[0x904, 0x939], [0x93E, 0x94D], [0x900, 0x903]],
  bengali: [[0x985, 0x9B9], [0x9BE, 0x9CD]],
  tamil: [[0xB85, 0xBB9], [0xBBE, 0xBCD]],
  thai: [[0xE01, 0xE3A], [0xE40, 0xE4E]], lao: [[0xE81, 0xEC4]],
  tibetan: [[0xF40, 0xF6C], [0xF71, 0xF84]], myanmar: [[0x1000, 0x103F]],
  georgian: [[0x10A0, 0x10FF], [0x1C90, 0x1CBA]], hangul: [[0xAC00, 0xD7A3]],
  jamo: [[0x1100, 0x1112], [0x1161, 0x1175], [0x11A8, 0x11C2]],
  kana: [[0x3041, 0x3096], [0x30A1, 0x30FA], [0x3099, 0x309A]],
  halfwidth: [[0xFF61, 0xFF9F], [0xFF01, 0xFF5E]],
  chinese: [[0x4E00, 0x4FFF], [0x9000, 0x9FA5]],
  compatibility: [[0xF900, 0xFA2D], [0x2F00, 0x2FD5], [0xFB00, 0xFB06]],
  rare: [[0x20000, 0x200FF], [0x2B820, 0x2B920], [0x2CEA0, 0x2CEB0]],
  emoji: [[0x1F300, 0x1F64F], [0x200D, 0x200D], [0x1F3FB, 0x1F3FF],
    [0xFE0F, 0xFE0F]],
  symbols: [[0x2190, 0x23FF], [0x2200, 0x22FF], [0x20A0, 0x20BF],
    [0x24B6, 0x24E9], [0x2160, 0x2188]],
  letters: [[0x1D400, 0x1D4FF], [0x10400, 0x1044F], [0x16E40, 0x16E7F],
    [0x1E900, 0x1E943]],
  marks: [[0x300, 0x36F], [0x1AB0, 0x1ABE], [0x20D0, 0x20F0],
    [0x302A, 0x302F], [0x1D165, 0x1D169], [0x61, 0x7A]],
  punctuation: [[0x21, 0x2F], [0x3A, 0x40], [0x2010, 0x2027],
    [0x3001, 0x301F], [0xA1, 0xBF], [0x61, 0x63]],
  controls: [[0x00, 0x1F], [0x7F, 0x9F], [0xAD, 0xAD], [0x200B, 0x200F],
    [0x2028, 0x202E], [0x2060, 0x2064], [0xFEFF, 0xFEFF], [0xE000, 0xE010],
    [0xFFFD, 0xFFFD], [0x61, 0x7A], [0x61, 0x7A]],
  spaces: [[0x20, 0x20], [0x09, 0x0D], [0x85, 0x85], [0xA0, 0xA0],
    [0x1680, 0x1680], [0x2000, 0x200A], [0x202F, 0x202F], [0x205F, 0x205F],
    [0x3000, 0x3000], [0x61, 0x66], [0x180E, 0x180E]],
  anything: [[0x20, 0x2FFF], [0x3000, 0xD7FF], [0xE000, 0xFFFD],
    [0x10000, 0x1FFFF]],
};
const NAMES = Object.keys(SCRIPTS);
const unassigned = /\p{Cn}/u;

function character(script) {
  for (;;) {
    const [first, last] = pick(SCRIPTS[script]);
    const text = String.fromCodePoint(first + below(last - first + 1));
    // Newer characters are in one library's tables and not in another's.
    if (!unassigned.test(text) && !recent.test(text) &&
        !unknownCharacters.has(text))
      return text;
  }
}
// Assigned after the tables of some library here (Unicode 12).
const recent = new RegExp('[\\u{8BE}-\\u{8D2}\\u{9FF0}-\\u{9FFF}\\u{1C80}-' +
  '\\u{1C8F}\\u{2C2F}\\u{2C5F}\\u{A7BF}-\\u{A7F6}\\u{10570}-\\u{105BF}' +
  '\\u{10780}-\\u{107BF}\\u{10E80}-\\u{10EFF}\\u{11000}-\\u{1CFFF}' +
  '\\u{1DF00}-\\u{1E2FF}\\u{1E4D0}-\\u{1E8FF}\\u{1F6D5}-\\u{1FFFF}' +
  '\\u{20C0}\\u{2E50}-\\u{2E5D}\\u{1AC0}-\\u{1ACE}]', 'u');

/*
 * Characters whose class the reference's older tables (Unicode 8) do not know,
 * while newer ones, and Python's tokenizer, do: marks and format characters
 * that it does not strip, punctuation at which it does not split.
 */
async function findUnknownCharacters() {
  const tokenizer = rust.Tokenizer.fromString(JSON.stringify(describe(
    [...SPECIALS, 'a'], {clean_text: true, handle_chinese_chars: true,
      strip_accents: null, lowercase: true}, [])));
  const unknown = new Set();
  for (let code = 0x80; code < 0x20000; code++) {
    if (code >= 0xD800 && code < 0xE000) continue;
    const text = String.fromCodePoint(code);
    const stripped = /[\p{Mn}\p{Cf}]/u.test(text);
    if (!stripped && !/\p{P}/u.test(text)) continue;
    const count = (await tokenizer.encode('a' + text + 'a')).getIds().length;
    // [CLS] a [UNK] a [SEP] when split, [CLS] [UNK] [SEP] otherwise; "aa" is
    // unknown too.
    if (count !== (stripped ? 3 : 5)) unknown.add(text);
    const ids = (await tokenizer.encode('a' + text)).getIds();
    if (stripped && ids.includes(1)) unknown.add(text);
  }
  return unknown;
}
let unknownCharacters = new Set();

function word(script) {
  let text = '';
  for (let left = 1 + below(7); left > 0; left--) text += character(script);
  return text;
}

const ENGLISH = `the order was charged twice and my card is still not refunded
please help me I can't log in where's parcel 12345 shipped on 2024-05-06 e-mail
user@example.com https://shop.example/a?b=c&d=e $19.99 100% o'clock naïve café
Über STRASSE ﬁne №5 ½ İstanbul ΣΑΣ straße Ångström résumé co-operate U.S.A. don't
rock'n'roll C++ #hashtag @name (see) [note] {x} <b>bold</b> &amp; ~ ^ | \\ / _ -
hello world unbelievable internationalization`.split(/\s+/);

function englishSentence() {
  const words = [];
  for (let left = 2 + below(8); left > 0; left--) words.push(pick(ENGLISH));
  return words.join(pick([' ', ' ', ' ', '  ', '\t', '\n', ', ']));
}

function scriptSentence(script) {
  const words = [];
  for (let left = 1 + below(4); left > 0; left--) words.push(word(script));
  return words.join(pick([' ', ' ', '', ', ', '。', ' \u00A0']));
}

const FIXED = ['', ' ', '\t\n', '[CLS]', '[SEP] a [MASK]b[UNK]', '[ CLS ]',
  'a[PAD]', '[sep]', '##ing', '## ing', '▁a Ġa <0x0A> </s> <unk>',
  'a'.repeat(99), 'a'.repeat(100), 'a'.repeat(101), 'é'.repeat(100),
  'é'.repeat(101), 'e\u0301'.repeat(100), 'e\u0301'.repeat(101),
  '^'.repeat(50), '_'.repeat(50), '\u0301\u0302', 'a\u0323\u0307',
  'a\u0307\u0323', '\u1E9B\u0323', '\uAC00\u11A8', '한국어', '日本語テキスト',
  'ｶﾞｷﾞｸﾞ', '中文 和 English混合', 'नमस्ते दुनिया', 'สวัสดีชาวโลก',
  'مَرْحَبًا', 'שָׁלוֹם', 'İIıi', 'ΌΣΟΣ ὈΔΥΣΣΕΎΣ', 'ǅ ǆ Ǆ', 'ß ẞ', 'ﬀ ﬃ',
  '👩‍👩‍👧‍👦 👍🏽', '🇩🇪', 'a\u200Bb\u200Dc\uFEFFd', 'a\u00ADb', 'x\u0000y',
  'one\u2028two\u2029three', '\u{1D165}\u{1D15E}', 'a\u302E\u{1D165}b',
  '①②③', 'Ⅷ ⅷ', '½¼', 'a b\u3000c', '$€£¥₹', '...!!!???', '“quoted” ‘x’',
  'don’t', 'a－b', '１２３', '\u0130stanbul', 'A\u030A', '\u212B', '\u2126',
  'lstrip  <l>x', 'x<r>   y', 'a<w>b <w> <w>c', '<n> <N> é<É>', '<l><r><w>',
  ' <l> <r> ', 'x <w>. <w>_', '<w>é é<w>', 'a<s>b<S>', 'ab abc bc', 'xabcy',
  '<t> <tt> <ttt>'];

function makeStrings(count) {
  const strings = [...FIXED];
  const seen = new Set(strings);
  while (strings.length < count) {
    const kind = random();
    const text = kind < 0.2 ? englishSentence()
      : kind < 0.85 ? scriptSentence(NAMES[strings.length % NAMES.length])
      : word(pick(NAMES)) + pick(['', ' ']) + word(pick(NAMES)) +
        pick(['', ' ', '[SEP]', '<l>', '<w>', '<n>', ' <r> ']) +
        word(pick(NAMES));
    if (!seen.has(text)) strings.push(text);
    seen.add(text);
  }
  return strings;
}

// --- vocabularies -----------------------------------------------------------

/* Characters, and whole words and endings, of what the normaliser leaves. */
function makeVocabulary(strings, size, normalize) {
  const counts = new Map();
  const add = (piece, n) => counts.set(piece, (counts.get(piece) ?? 0) + n);
  for (const text of strings)
    for (const piece of normalize(text).split(/[\s\p{P}]+/u)) {
      const chars = [...piece];
      // Names of a JSON object with control characters are no one's format.
      if (chars.length === 0 || chars.length > 30 || /\p{C}/u.test(piece))
        continue;
      add(piece, 3);
      for (let i = 0; i < chars.length; i++) {
        add((i > 0 ? '##' : '') + chars[i], 2);
        if (i + 2 <= chars.length)
          add((i > 0 ? '##' : '') + chars.slice(i, i + 2).join(''), 1);
      }
    }
  const marks = [];
  for (let code = 33; code < 127; code++)
    marks.push(String.fromCodePoint(code));
  for (const text of strings)
    for (const mark of text.match(/\p{P}/gu) ?? [])
      if (below(3) > 0) marks.push(mark);
  const byCount = [...counts].sort((a, b) => b[1] - a[1] ||
    (a[0] < b[0] ? -1 : 1)).map(([piece]) => piece);
  return [...new Set([...SPECIALS, ...marks, ...byCount])].slice(0, size);
}

function describe(pieces, normalizer, added) {
  const tokens = SPECIALS.map((content, id) => ({id, content,
    single_word: false, lstrip: false, rstrip: false, normalized: false,
    special: true}));
  const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]));
  for (const token of added)
    tokens.push({single_word: false, lstrip: false, rstrip: false,
      normalized: false, special: false, ...token,
      id: vocab[token.content] ?? pieces.length + tokens.length -
        SPECIALS.length});
  const special = (id, type_id) => ({SpecialToken: {id, type_id}});
  const sequence = (id, type_id) => ({Sequence: {id, type_id}});
  return {
    version: '1.0', truncation: null, padding: null, added_tokens: tokens,
    normalizer: {type: 'BertNormalizer', ...normalizer},
    pre_tokenizer: {type: 'BertPreTokenizer'},
    post_processor: {type: 'TemplateProcessing',
      single: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0)],
      pair: [special('[CLS]', 0), sequence('A', 0), special('[SEP]', 0),
        sequence('B', 1), special('[SEP]', 1)],
      special_tokens: {'[CLS]': {id: '[CLS]', ids: [2], tokens: ['[CLS]']},
        '[SEP]': {id: '[SEP]', ids: [3], tokens: ['[SEP]']}}},
    decoder: {type: 'WordPiece', prefix: '##', cleanup: true},
    model: {type: 'WordPiece', unk_token: '[UNK]',
      continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab},
  };
}

const ADDED = [
  {content: '<l>', lstrip: true}, {content: '<r>', rstrip: true},
  {content: '<w>', single_word: true}, {content: '<s>', special: true},
  {content: '<n>', normalized: true}, {content: '<É>', normalized: true},
  {content: 'ab', normalized: true}, {content: 'abc', normalized: true},
  {content: '<t>'}, {content: '<tt>', lstrip: true, rstrip: true},
  {content: 'help', single_word: true, normalized: true},
];

const stripMarks = (text) => text.normalize('NFD').replace(/\p{Mn}/gu, '')
  .toLowerCase();
const VARIANTS = {
  uncased: {normalizer: {clean_text: true, handle_chinese_chars: true,
    strip_accents: null, lowercase: true}, size: 5000, added: [],
    normalize: stripMarks, count: STRINGS},
  cased: {normalizer: {clean_text: true, handle_chinese_chars: true,
    strip_accents: false, lowercase: false}, size: 4000, added: [],
    normalize: (text) => text, count: 1200},
  raw: {normalizer: {clean_text: false, handle_chinese_chars: false,
    strip_accents: false, lowercase: true}, size: 3000, added: [],
    normalize: (text) => text.toLowerCase(), count: 800},
  added: {normalizer: {clean_text: true, handle_chinese_chars: true,
    strip_accents: null, lowercase: true}, size: 2000, added: ADDED,
    normalize: stripMarks, count: 1000},
};

// --- reference --------------------------------------------------------------

async function encodeAll(description, strings) {
  const text = JSON.stringify(description);
  const reference = rust.Tokenizer.fromString(text);
  // Saved again, because the library gives added tokens ids of its own choice.
  const file = path.join(os.tmpdir(), `tokenizer-${process.pid}.json`);
  reference.save(file, false);
  const saved = JSON.parse(fs.readFileSync(file, 'utf8'));
  fs.unlinkSync(file);
  const other = new js.Tokenizer(saved, {});
  let different = 0;
  const rows = [];
  for (const string of strings) {
    const encoding = await reference.encode(string);
    const ids = Array.from(encoding.getIds());
    const theirs = Array.from(other.encode(string).ids);
    if (ids.join() !== theirs.join()) different++;
    rows.push(ids);
  }
  return {rows, different, saved};
}

unknownCharacters = await findUnknownCharacters();
console.error(`left out: ${unknownCharacters.size} characters that the ` +
  'reference does not know');
if (otherTokenizer) {
  const description = JSON.parse(fs.readFileSync(otherTokenizer, 'utf8'));
  description.truncation = description.padding = null;
  const strings = makeStrings(Number(otherCount ?? 20000));
  const {rows, different} = await encodeAll(description, strings);
  strings.forEach((string, i) =>
    console.log(JSON.stringify([string, rows[i]])));
  console.error(`${strings.length} strings; the JavaScript tokenizer differs ` +
    `in ${different}`);
} else {
  const strings = makeStrings(STRINGS);
  for (const [name, variant] of Object.entries(VARIANTS)) {
    // The fixed strings, then an even choice of the others.
    const step = strings.length / variant.count;
    const chosen = [...new Set([...FIXED, ...Array.from(
      {length: variant.count}, (_, i) => strings[Math.floor(i * step)])])];
    const pieces = makeVocabulary(chosen, variant.size, variant.normalize);
    const description = describe(pieces, variant.normalizer, variant.added);
    const {rows, different, saved} = await encodeAll(description, chosen);
    const base = path.join(folder, `tokenizer_${name}`);
    fs.mkdirSync(base, {recursive: true});
    fs.writeFileSync(path.join(base, 'tokenizer.json'),
      JSON.stringify(saved) + '\n');
    fs.writeFileSync(path.join(base, 'expected.jsonl'), chosen.map(
      (string, i) => JSON.stringify([string, rows[i].join(' ')])).join('\n') +
      '\n');
    const unknown = rows.filter((ids) => ids.includes(1)).length;
    console.log(`${name}: ${chosen.length} strings, ${pieces.length} pieces, ` +
      `${unknown} strings with [UNK]; the JavaScript tokenizer differs in ` +
      `${different}`);
  }
  await import('./make_tokenizer_classes.mjs');
}
