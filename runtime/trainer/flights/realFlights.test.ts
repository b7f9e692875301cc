import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestDirectory, type Gate } from '@slipway/crds';
import {
  baselineSchema,
  goldenSchema,
  predictionSchema,
  progressSchema,
  signatureSchema,
} from '@slipway/crds/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publish } from '../../evaluator/publish.ts';
import { verify } from '../../evaluator/verify.ts';
import { openForTrial } from '../../server/models/trial.ts';
import type { TensorValue } from '../../server/tensor.ts';
import { chooseBackend } from '../backend.ts';
import { parseParameters } from '../parameters.ts';
import { progressWriter } from '../progress.ts';
import { type CodeBook, readCodeBook } from './codeBook.ts';
import { flightFiles } from './dataFiles.ts';
import { type HeldOutFlight, heldOutFlightsOf } from './heldOut.ts';
import { writeOutputs } from './outputs.ts';
import { isHeldOut } from './split.ts';
import { type FlightTable, readFlights } from './table.ts';
import { train } from './train.ts';

const BUSIEST = 80;
const SMALL = { epochs: '1', rows: '6000', evaluationRows: '1500', hiddenUnits: '8', embeddingSize: '2' };
const GATES: readonly Gate[] = [
  { name: 'ranking', metric: 'rocAuc', min: '0.53' },
  { name: 'calibration', metric: 'brier', max: '0.2' },
];

let root: string;
let book: CodeBook;
let table: FlightTable;
let flights: readonly HeldOutFlight[];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'flights-'));
  const files = flightFiles();
  book = await readCodeBook(files.routes);
  table = await readFlights(files.flights, book);
  flights = heldOutFlightsOf(table, { limit: 2000 });
}, 60_000);
afterAll(() => rm(root, { recursive: true, force: true }));

const silent = () => undefined;

/** Trains as the container does, on flights that are read once for all tests. */
async function trainInto(directory: string, raw: Record<string, string>) {
  const parameters = parseParameters(raw);
  const report = progressWriter(join(directory, 'status'), Date.now);
  const trained = await train({ backend: await chooseBackend(), parameters, report }, table, book);
  const output = join(directory, 'output');
  await writeOutputs(
    { output, model: join(output, 'model') },
    trained,
    { name: 'flights', digest: 'sha256:' },
    parameters,
  );
  return output;
}

/** Trains, publishes and verifies: the way of every version. */
async function makeVersion(name: string, parameters: Record<string, string>) {
  const directory = join(root, name);
  const outputDir = await trainInto(directory, parameters);
  const claims = join(directory, 'claims');
  const context = { now: Date.now, say: silent, claims };
  const { digest } = await publish({
    outputDir,
    inputDir: outputDir,
    store: { uri: 'pvc://models' },
    modelName: 'flights',
    context,
  });
  const artifactDir = join(claims, 'models', 'flights', digestDirectory(digest));
  const report = await verify({
    artifact: { dir: artifactDir },
    digest,
    gates: GATES,
    context,
    elapsed: () => performance.now(),
  });
  const file = (path: string) => readFile(join(directory, path), 'utf8');
  return { file, artifactDir, report };
}

/** Sends each held-out flight to the model as a server would, and returns which it could not answer. */
async function unanswered(artifactDir: string): Promise<ReadonlySet<number>> {
  const engine = await openForTrial(artifactDir);
  const failed = new Set<number>();
  for (const { id, request } of flights) {
    const inputs = request.inputs.map(
      ({ name, datatype, shape, data }): TensorValue => ({
        name,
        datatype,
        shape,
        elements:
          datatype === 'INT64' ? BigInt64Array.from(data as number[], BigInt) : Float32Array.from(data as number[]),
      }),
    );
    await engine.run(inputs, ['probability']).catch(() => failed.add(id));
  }
  await engine.close();
  return failed;
}

const beyondTheTable = () =>
  new Set(flights.filter((f) => f.originCode > BUSIEST || f.destinationCode > BUSIEST).map(({ id }) => id));

describe('held-out flights', () => {
  it('are real, distinct, never trained on, and late as often as the statistics say', () => {
    expect(new Set(flights.map(({ id }) => id)).size).toBe(2000);
    expect(flights.every(({ id }) => isHeldOut(id))).toBe(true);
    const late = flights.reduce((sum, { label }) => sum + label, 0) / flights.length;
    expect(late).toBeGreaterThan(0.16);
    expect(late).toBeLessThan(0.24);
  });

  it('are requests of one example each', () => {
    for (const { request } of flights.slice(0, 20)) {
      expect(request.inputs.map(({ name, shape }) => [name, shape])).toEqual([
        ['numeric', [1, 4]],
        ['origin', [1, 1]],
        ['destination', [1, 1]],
      ]);
    }
  });

  it('touch an airport beyond the busiest eighty often enough to be seen, and seldom enough to be missed', () => {
    const share = beyondTheTable().size / flights.length;
    expect(share).toBeGreaterThan(0.1);
    expect(share).toBeLessThan(0.22);
  });
});

describe('a model with a row for every airport', () => {
  it('keeps the contract, passes its gates and answers every flight', { timeout: 60_000 }, async () => {
    const { file, artifactDir, report } = await makeVersion('whole', SMALL);
    expect(progressSchema.parse(JSON.parse(await file('status/progress.json')))).toMatchObject({ step: 12, total: 12 });
    expect(signatureSchema.parse(JSON.parse(await file('output/model/signature.json'))).inputs).toHaveLength(3);
    const lines = async (path: string) =>
      (await file(path))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    expect((await lines('output/golden.jsonl')).map((line) => goldenSchema.parse(line))).toHaveLength(8);
    expect((await lines('output/predictions.jsonl')).map((line) => predictionSchema.parse(line))).toHaveLength(1500);
    const baseline = baselineSchema.parse(JSON.parse(await file('output/baseline.json')));
    expect(baseline).toMatchObject({ dataset: { rows: 6000 } });
    expect(baseline.outliers?.threshold).toBeGreaterThan(0);
    expect(JSON.parse(await file('output/metrics.json'))['rocAuc']).toBeGreaterThan(0.53);
    expect(await file('output/model/card.md')).toContain('| busiestAirports | 0 |');
    expect(report.gates.map(({ verdict }) => verdict)).toEqual(['Pass', 'Pass']);
    expect(await unanswered(artifactDir)).toEqual(new Set());
  });
});

describe('a model whose tables end with the airports it saw', () => {
  it('passes the same gates and fails on exactly the flights beyond them', { timeout: 60_000 }, async () => {
    const parameters = { ...SMALL, busiestAirports: String(BUSIEST), vocabulary: 'seen' };
    const { artifactDir, report } = await makeVersion('seen', parameters);
    expect(report.gates.map(({ verdict }) => verdict)).toEqual(['Pass', 'Pass']);
    expect(await unanswered(artifactDir)).toEqual(beyondTheTable());
  });
});
