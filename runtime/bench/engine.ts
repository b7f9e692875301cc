/**
 * Both engines on the same models: time of a run by batch size, on the calling thread and off it, and memory. Models are
 * the .onnx files of the folder that is named, or a small network and a small convolution that are made here. Each pair of
 * engine and model has a process of its own. Prints a table and writes .bench/engine.json.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { engineSettingsSchema } from '@slipway/crds/serving';
import { fp32, node, value } from '../onnx/builders.ts';
import { encodeModel, type OnnxModel } from '../onnx/model.ts';
import { availableCores } from '../server/engine/cores.ts';
import type { Engine } from '../server/engine/engine.ts';
import { childMain } from '../server/engine/node/childMain.ts';
import { CHILD_MARKER } from '../server/engine/node/messages.ts';
import { openEngine } from '../server/engine/openEngine.ts';
import { roomFor, sizeOf, type TensorValue } from '../server/tensor.ts';
import { mlp } from '../test/artifacts.ts';
import { temporaryFolder } from '../test/temporaryFolder.ts';

const BACKENDS = ['ffi', 'node'] as const;
const BATCHES = [1, 32] as const;
/** Time and runs that one figure may take. */
const MEASURE_MS = 1_500;
const MOST_RUNS = 20_000;
const ONE = '--one';

interface Row {
  readonly model: string;
  readonly backend: string;
  readonly openMs: number;
  readonly memoryMiB: number;
  /** Microseconds of a run, by batch size; `here` is on the calling thread. */
  readonly runUs: Readonly<Record<string, number>>;
}

/** Three convolutions on a 3×32×32 picture, then ten classes. */
function convolution(): OnnxModel {
  const widths = [3, 16, 32, 64];
  const weights = (n: number) => Float32Array.from({ length: n }, (_, k) => Math.sin(k) / 16);
  const layers = widths.slice(1).map((width, i) => ({ i, from: widths[i] as number, width }));
  return {
    name: 'convolution',
    inputs: [value('x', 'FP32', [-1, 3, 32, 32])],
    outputs: [value('y', 'FP32', [-1, 10])],
    initializers: [
      ...layers.map(({ i, from, width }) => fp32(`w${i}`, [width, from, 3, 3], weights(width * from * 9))),
      fp32('head', [64, 10], weights(640)),
    ],
    nodes: [
      ...layers.flatMap(({ i }) => [
        node('Conv', [i === 0 ? 'x' : `r${i - 1}`, `w${i}`], `c${i}`, {
          pads: { ints: [1, 1, 1, 1] },
          strides: { ints: [i === 0 ? 1 : 2, i === 0 ? 1 : 2] },
        }),
        node('Relu', [`c${i}`], `r${i}`),
      ]),
      node('GlobalAveragePool', ['r2'], 'pooled'),
      node('Flatten', ['pooled'], 'flat'),
      node('MatMul', ['flat', 'head'], 'y'),
    ],
  };
}

async function modelFolder(asked: string | undefined): Promise<string> {
  if (asked) return asked;
  const folder = await temporaryFolder('bench-engine');
  await writeFile(join(folder, 'mlp.onnx'), encodeModel(mlp([30, 64, 64, 2])));
  await writeFile(join(folder, 'cnn.onnx'), encodeModel(convolution()));
  return folder;
}

const inputsOf = ({ signature }: Engine, rows: number): TensorValue[] =>
  signature.inputs.map(({ name, datatype, shape: free }) => {
    const shape = free.map((size, i) => (size >= 0 ? size : i === 0 ? rows : 1));
    return { name, datatype, shape, elements: roomFor(datatype, sizeOf(shape)) };
  });

/** Microseconds of one run, in the least disturbed of ten slices of the time. */
async function microseconds(run: () => unknown): Promise<number> {
  for (let i = 0; i < 20; i++) await run();
  const slices: number[] = [];
  for (let slice = 0; slice < 10; slice++) {
    const begin = performance.now();
    let runs = 0;
    while (performance.now() - begin < MEASURE_MS / 10 && runs < MOST_RUNS / 10) {
      const answer = run();
      if (answer instanceof Promise) await answer;
      runs += 1;
    }
    slices.push(((performance.now() - begin) / runs) * 1000);
  }
  return Number(Math.min(...slices).toFixed(1));
}

async function residentMiB(pid: string): Promise<number> {
  const [status, children] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => ''),
  ]);
  const own = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
  const theirs = await Promise.all(children.trim().split(' ').filter(Boolean).map(residentMiB));
  return Math.round(theirs.reduce((sum, mib) => sum + mib, own));
}

async function measure(path: string, backend: string): Promise<Row> {
  const begin = performance.now();
  const engine = await openEngine({
    path,
    digest: '',
    settings: engineSettingsSchema.parse({ backend }),
    cores: (await availableCores()).count,
    child: { file: fileURLToPath(import.meta.url) },
  });
  const openMs = Math.round(performance.now() - begin);
  const outputs = engine.signature.outputs.map(({ name }) => name);
  const runUs: Record<string, number> = {};
  for (const rows of BATCHES) {
    const inputs = inputsOf(engine, rows);
    runUs[`${rows}`] = await microseconds(() => engine.run(inputs, outputs));
    if (engine.runHere) runUs[`${rows} here`] = await microseconds(() => engine.runHere?.(inputs, outputs));
  }
  const memoryMiB = await residentMiB(`${process.pid}`);
  await engine.close();
  return { model: basename(path, '.onnx'), backend, openMs, memoryMiB, runUs };
}

const inOwnProcess = (path: string, backend: string): Row =>
  JSON.parse(
    execFileSync(process.execPath, [fileURLToPath(import.meta.url), ONE, path, backend], { encoding: 'utf8' }),
  );

async function all(folder: string): Promise<void> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.onnx')).sort();
  const rows = files.flatMap((file) => BACKENDS.map((backend) => inOwnProcess(join(folder, file), backend)));
  const microsecondsOf = (runUs: Row['runUs']) =>
    Object.fromEntries(Object.entries(runUs).map(([rows, us]) => [`µs, batch ${rows}`, us]));
  console.table(rows.map(({ runUs, ...row }) => ({ ...row, ...microsecondsOf(runUs) })));
  const measurements = rows.map(({ model, backend, runUs }) => ({
    what: `engine: one run of ${model}, batch 1, ${backend} backend`,
    value: runUs['1'],
    unit: 'µs',
  }));
  await mkdir('.bench', { recursive: true });
  await writeFile('.bench/engine.json', JSON.stringify({ name: 'engine', measurements, rows }, null, 2));
}

const [mode, path, backend] = process.argv.slice(2);
if (mode === CHILD_MARKER) await childMain();
else if (mode === ONE) console.log(JSON.stringify(await measure(path as string, backend as string)));
else await all(await modelFolder(mode));
