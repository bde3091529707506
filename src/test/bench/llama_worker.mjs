/*
 * llama_worker.mjs - llama.cpp (npm's node-llama-cpp) in a process of its own,
 * for bench_peers.py.
 *
 *     node llama_worker.mjs node_modules cases.json model.gguf threads
 *
 * cases.json: [{unit, mixed, texts: [text, ...]}, ...].  Commands and
 * answers as onnx_worker.js.  The package's embedding context takes one text at
 * a time, so that texts of one call follow each other; it tokenises them.
 *
 * SPDX-License-Identifier: PostgreSQL
 */
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';

const [modules, casesPath, modelPath, threads] = process.argv.slice(2);
const folder = path.resolve(modules, 'node-llama-cpp');
const { getLlama } = await import(path.join(folder, 'dist/index.js'));

async function openContext() {
  const llama = await getLlama({
    gpu: false,
    build: 'never', // the prebuilt program, which picks this CPU's kernels
    skipDownload: true,
    progressLogs: false,
    maxThreads: Number(threads),
  });
  const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
  return model.createEmbeddingContext({
    contextSize: 512, batchSize: 512, threads: Number(threads) });
}

async function runCase(context, entry, seconds) {
  const start = process.hrtime.bigint();
  let done = 0;
  let passed;
  do {
    await context.getEmbeddingFor(entry.texts[done % entry.texts.length]);
    done++;
    passed = Number(process.hrtime.bigint() - start) / 1e9;
  } while (passed < seconds || (entry.mixed && done % entry.unit !== 0));
  return done / passed;
}

async function main() {
  const cases = JSON.parse(fs.readFileSync(casesPath, 'utf8'));
  const context = await openContext();
  for await (const line of readline.createInterface(
    { input: process.stdin })) {
    const [command, number, seconds] = line.split(' ');
    let answer;
    if (command === 'version') {
      answer = JSON.parse(fs.readFileSync(
        path.join(folder, 'package.json'), 'utf8')).version;
    } else if (command === 'run') {
      answer = await runCase(context, cases[number], Number(seconds));
    } else {
      answer = (await context.getEmbeddingFor(
        cases[number].texts[0])).vector;
    }
    process.stdout.write(JSON.stringify(answer) + '\n');
  }
  process.exit(0); // threads of the library may wait
}

main().catch((error) => {
  process.stdout.write(JSON.stringify({ error: String(error) }) + '\n');
  process.exit(1);
});
