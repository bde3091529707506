/*
 * onnx_worker.js - onnxruntime-node in a process of its own, for
 * bench_peers.py.
 *
 *     node onnx_worker.js node_modules cases.json model.onnx threads
 *
 * cases.json: [{per_call, unit, ids: [[id, ...], ...]}, ...].  Commands on standard
 * input, one answer per line: "version", "run CASE SECONDS" (texts per
 * second, over whole units of texts), "embed CASE" (the first text's embedding).  Texts of one call are
 * padded to the longest of them, with a mask; inputs are made beforehand.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
'use strict';
const fs = require('fs');
const path = require('path');
const readline = require('readline');

const [modules, casesPath, modelPath, threads] = process.argv.slice(2);
const folder = path.resolve(modules, 'onnxruntime-node');
const ort = require(folder);

function makeInputs(texts) {
  const tokens = Math.max(...texts.map((ids) => ids.length));
  const ids = new BigInt64Array(texts.length * tokens);
  const mask = new BigInt64Array(texts.length * tokens);
  texts.forEach((text, row) => text.forEach((id, column) => {
    ids[row * tokens + column] = BigInt(id);
    mask[row * tokens + column] = 1n;
  }));
  const shape = [texts.length, tokens];
  return {
    input_ids: new ort.Tensor('int64', ids, shape),
    attention_mask: new ort.Tensor('int64', mask, shape),
  };
}

function makeCalls(entry) {
  const calls = [];
  for (let i = 0; i + entry.per_call <= entry.ids.length;
    i += entry.per_call) {
    calls.push(makeInputs(entry.ids.slice(i, i + entry.per_call)));
  }
  return calls;
}

async function runCase(session, entry, calls, seconds) {
  const start = process.hrtime.bigint();
  let done = 0;
  let passed;
  do {
    await session.run(calls[done % calls.length]);
    done++;
    passed = Number(process.hrtime.bigint() - start) / 1e9;
  } while (passed < seconds || done * entry.per_call % entry.unit !== 0);
  return done * entry.per_call / passed;
}

async function main() {
  const cases = JSON.parse(fs.readFileSync(casesPath, 'utf8'));
  const inputs = cases.map(makeCalls);
  const session = await ort.InferenceSession.create(modelPath, {
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'basic', // make_onnx.py fused it already,
  });
  for await (const line of readline.createInterface(
    { input: process.stdin })) {
    const [command, number, seconds] = line.split(' ');
    let answer;
    if (command === 'version') {
      answer = JSON.parse(fs.readFileSync(
        path.join(folder, 'package.json'), 'utf8')).version;
    } else if (command === 'run') {
      answer = await runCase(session, cases[number], inputs[number],
        Number(seconds));
    } else {
      const result = await session.run(
        makeInputs([cases[number].ids[0]]));
      answer = Array.from(result.embedding.data);
    }
    process.stdout.write(JSON.stringify(answer) + '\n');
  }
}

main().catch((error) => {
  process.stdout.write(JSON.stringify({ error: String(error) }) + '\n');
  process.exit(1);
});
