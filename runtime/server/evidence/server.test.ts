import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ADMIN_PATHS,
  BASELINE_SCHEMA,
  type Baseline,
  CALIBRATION_BINS,
  evidenceSchema,
  FEEDBACK_PATH,
  METRICS,
  type Summarised,
} from '@slipway/crds/contract';
import parse from 'parse-prometheus-text-format';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeModel } from '../../onnx/model.ts';
import { affine, classifier, echo, writeArtifact } from '../../test/artifacts.ts';
import { ADMIN, type ServerProcess, startFolder, startServer } from '../../test/serverProcess.ts';
import { temporaryFolder } from '../../test/temporaryFolder.ts';

const EDGES = [-0.5, 0.1, 0.5];
const feature = (name: string, index: number): Summarised => ({
  name,
  tensor: 'x',
  index,
  kind: 'numeric',
  count: 100,
  min: -1,
  max: 0.9,
  mean: 0,
  m2: 33,
  bins: { edges: EDGES, counts: [25, 25, 25, 25] },
});
const baseline: Baseline = {
  schema: BASELINE_SCHEMA,
  features: [feature('first', 0), feature('second', 1)],
  predictions: [{ ...feature('answer', 0), tensor: 'y', min: -10, max: 10 } as Summarised],
};
/** y = 2·x0 − 3·x1 + 0.5 for each row. */
const answerOf = ([first, second]: readonly [number, number]) => 2 * first - 3 * second + 0.5;

/** Rows of each request: values on edges, beyond what training had, and between. */
const REQUESTS: readonly (readonly (readonly [number, number])[])[] = Array.from({ length: 90 }, (_, request) =>
  Array.from({ length: 1 + (request % 4) }, (_, row) => {
    const at = request * 7 + row * 3;
    return [[-0.5, 0.1, 0.5, 1.5, -0.25][at % 5] as number, Math.fround(Math.sin(at))] as const;
  }),
);

const countedBy = (values: readonly number[]) => {
  const edges = EDGES.map(Math.fround);
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const value of values) {
    const bin = edges.filter((edge) => Math.fround(value) > edge).length;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
};

describe('a server whose model has a baseline', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    const files = { 'model.onnx': encodeModel(affine), 'baseline.json': JSON.stringify(baseline) };
    const artifact = await writeArtifact(files);
    server = await startServer(artifact);
    await server.logged('ready');
    await rm(join(artifact.directory, 'baseline.json')); // as it is after a new version was laid over the old one
  });
  afterAll(() => server.kill());

  const ask = async (rows: readonly (readonly number[])[], id?: string) => {
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [rows.length, 2], data: rows.flat() }];
    const body = JSON.stringify({ ...(id ? { id } : {}), inputs });
    const response = await server.fetch('rest', '/v2/models/flights/infer', { method: 'POST', body });
    expect(response.status).toBe(200);
    return (await response.json()) as { outputs: [{ data: number[] }] };
  };
  const label = async (id: string, value: number) => {
    const body = JSON.stringify({ id, label: value });
    return (await server.fetch('rest', FEEDBACK_PATH, { method: 'POST', body })).status;
  };

  test('gives the baseline it counts against, whatever the folder holds by now', async () => {
    const answer = await server.fetch('admin', ADMIN_PATHS.baseline, { headers: ADMIN });
    expect([answer.status, await answer.json()]).toEqual([200, baseline]);
    expect((await server.fetch('admin', ADMIN_PATHS.baseline)).status).toBe(401);
  });

  test('counts each value that its callers sent and got, and says the same to Prometheus', async () => {
    await Promise.all(REQUESTS.map((rows) => ask(rows)));
    const rows = REQUESTS.flat();
    const { features, predictions, outliers, rows: seen, requests } = await server.evidence();
    const [first, second] = [0, 1].map((index) => countedBy(rows.map((row) => row[index as 0 | 1])));
    expect(requests.ok).toBe(REQUESTS.length);
    expect(seen).toEqual({ run: rows.length, judged: rows.length });
    expect(outliers?.judged).toBe(rows.length);
    expect(features?.map(({ counts }) => counts)).toEqual([first, second]);
    expect(features?.[0]?.outOfRange).toBe(rows.filter(([value]) => value > 0.9).length);
    expect(predictions?.[0]?.counts).toEqual(countedBy(rows.map(answerOf)));

    const text = await (await server.fetch('admin', '/metrics')).text();
    const values = parse(text).find(({ name }) => name === METRICS.featureValues)?.metrics ?? [];
    expect(values.map(({ value }) => Number(value))).toEqual([...(first ?? []), ...(second ?? [])]);
    expect(values.slice(0, 4).map(({ labels }) => labels?.['bin'])).toEqual(['-0.5', '0.1', '0.5', '+Inf']);
  });

  test('finds the answer that a late label is about', async () => {
    const { outputs } = await ask([[0.25, 0.5]], 'flight-17');
    expect(await label('flight-17', outputs[0].data[0] as number)).toBe(200);
    expect(await label('flight-17', 99)).toBe(200);
    expect(await label('flight-18', 1)).toBe(200);
    expect((await server.evidence()).labels).toMatchObject({ right: 1, wrong: 0, unknown: 1 });
  });
});

describe('how sure a model was of the answers that labels came for', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    const folder = await temporaryFolder('sure');
    const models = { 'flights/1': echo, 'flights/2': echo, species: classifier, fares: affine };
    for (const [place, model] of Object.entries(models)) {
      await mkdir(join(folder, place), { recursive: true });
      await writeFile(join(folder, place, 'model.onnx'), encodeModel(model));
    }
    server = await startFolder(folder, { versions: 'All' });
    await server.logged('ready');
    const many = <Row>(row: Row): readonly Row[] => new Array<Row>(20).fill(row);
    await labelled('flights/versions/1', 'logits', many([-3, 4]), [1]);
    await labelled('flights/versions/1', 'like probabilities', [[0.25, 0.75]], [1]);
    await labelled('flights/versions/2', 'unlabelled', many([0.25, 0.75]), []);
    await labelled('species', 'unlabelled', many([0, 0.75, 0.25]), []);
    await labelled('flights/versions/2', 'sure', [[0.0625, 0.9375]], [1]);
    await labelled('flights/versions/2', 'surely wrong', [[0.0625, 0.9375]], [0, 1]);
    await labelled('flights/versions/2', 'unsure', [[0.5625, 0.4375]], [0]);
    await labelled(
      'species',
      'rows',
      [
        [0.625, 0.25, 0.125],
        [0.25, 0.625, 0.125],
        [0, 0, 1],
      ],
      [0, 2, 2],
    );
    await labelled('fares', 'a number', [[0.25, 0.25]], [0.25]);
  });
  afterAll(() => server.kill());

  const post = async (path: string, body: object) => {
    const answer = await server.fetch('rest', path, { method: 'POST', body: JSON.stringify(body) });
    expect([answer.status, await answer.text()]).toEqual([200, expect.anything()]);
  };
  /** Of one row all labels, in turn; of several one for each. */
  const labelled = async (
    model: string,
    id: string,
    rows: readonly (readonly number[])[],
    labels: readonly number[],
  ) => {
    const [shape, data] = [[rows.length, rows[0]?.length], rows.flat()];
    const [name, , version] = model.split('/');
    await post(`/v2/models/${model}/infer`, { id, inputs: [{ name: 'x', datatype: 'FP32', shape, data }] });
    for (const [i, label] of labels.entries())
      await post(FEEDBACK_PATH, { model: name, version, id: rows.length === 1 ? id : `${id}#${i}`, label });
  };
  const labelsOf = async (query: string) => {
    const answer = await server.fetch('admin', `${ADMIN_PATHS.evidence}?${query}`, { headers: ADMIN });
    return evidenceSchema.parse(await answer.json()).labels;
  };
  const binsOf = (filled: Readonly<Record<number, readonly [n: number, right: number, confidence: number]>>) =>
    Array.from({ length: CALIBRATION_BINS }, (_, bin) => {
      const [n, right, confidence] = filled[bin] ?? [0, 0, 0];
      return { n, right, confidence };
    });

  test.each([
    ['a model of probabilities', 'model=flights&version=2', { 5: [1, 1, 0.5625], 9: [2, 1, 1.875] } as const],
    ['a class beside its probabilities', 'model=species', { 6: [2, 1, 1.25], 9: [1, 1, 1] } as const],
  ])('is in the evidence of %s, by the first label of each row', async (_what, query, filled) => {
    expect((await labelsOf(query))?.calibration).toEqual({ bins: binsOf(filled) });
  });

  test.each([
    ['logits', 'model=flights&version=1', 2],
    ['numbers', 'model=fares', 1],
  ])('is not in that of a model of %s, whose labels count all the same', async (_what, query, right) => {
    const labels = await labelsOf(query);
    expect(labels).toMatchObject({ right, wrong: 0 });
    expect(labels).not.toHaveProperty('calibration');
  });

  test('is told to Prometheus', async () => {
    const text = await (await server.fetch('admin', '/metrics')).text();
    const top = [METRICS.calibrationAnswers, METRICS.calibrationRight, METRICS.calibrationConfidence].map((name) =>
      text.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes('bin="1"')),
    );
    const own = 'model="flights",version="2",bin="1"';
    expect(top.map((lines) => lines.length)).toEqual([2, 2, 2]);
    expect(top.flat()).toEqual(
      expect.arrayContaining([
        `${METRICS.calibrationAnswers}{${own}} 2`,
        `${METRICS.calibrationRight}{${own}} 1`,
        `${METRICS.calibrationConfidence}{${own}} 1.875`,
      ]),
    );
  });
});

test('a server whose baseline does not fit its model ends with the sentence that says why', async () => {
  const misplaced = { ...baseline, features: [feature('third', 2)] };
  const files = { 'model.onnx': encodeModel(affine), 'baseline.json': JSON.stringify(misplaced) };
  const server = await startServer(await writeArtifact(files));
  expect(await server.exitCode()).toBe(1);
  expect((await server.termination()).message).toContain(
    'baseline.json: feature "third" is entry 2 of "x", which has 2 (the first is 0).',
  );
});

describe('a server of a folder with several models', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    const folder = await temporaryFolder('several');
    for (const place of ['flights/1', 'flights/2', 'trains']) {
      await mkdir(join(folder, place), { recursive: true });
      await writeFile(join(folder, place, 'model.onnx'), encodeModel(affine));
    }
    await writeFile(join(folder, 'trains', 'baseline.json'), JSON.stringify(baseline));
    server = await startFolder(folder, { versions: 'All' });
    await server.logged('ready');
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }];
    for (const model of ['flights', 'flights/versions/1', 'trains', 'trains', 'trains']) {
      await server.fetch('rest', `/v2/models/${model}/infer`, { method: 'POST', body: JSON.stringify({ inputs }) });
    }
  });
  afterAll(() => server.kill());

  const admin = async (path: string, body?: object) => {
    const init = body && { method: 'POST', body: JSON.stringify(body) };
    const answer = await server.fetch('admin', path, { headers: ADMIN, ...init });
    return { status: answer.status, body: await answer.json() };
  };

  test.each([
    ['the newest version', '?model=flights', 'flights', '2', 1],
    ['a version', '?model=flights&version=1', 'flights', '1', 1],
    ['another model', '?model=trains', 'trains', '1', 3],
  ])('has evidence of %s', async (_what, query, name, version, ok) => {
    const { body } = await admin(`${ADMIN_PATHS.evidence}${query}`);
    expect(body).toMatchObject({ model: { name, version }, requests: { ok } });
  });

  test('has the baseline of each, and copies for each what is ordered for it', async () => {
    expect((await admin(`${ADMIN_PATHS.baseline}?model=trains`)).body).toEqual(baseline);
    expect(await admin(`${ADMIN_PATHS.baseline}?model=flights`)).toMatchObject({
      status: 404,
      body: { error: 'Model "flights" has no baseline.json.' },
    });
    const shadow = { id: 'o1', target: 'http://127.0.0.1:9', percent: 100 };
    const ordered = await admin(`${ADMIN_PATHS.evidence}?model=trains`, { shadow });
    expect(ordered.body).toMatchObject({ model: { name: 'trains' }, shadow: { order: 'o1' } });
    expect((await admin(`${ADMIN_PATHS.evidence}?model=flights`)).body).not.toHaveProperty('shadow');
  });

  test.each([
    [
      'no name',
      '',
      400,
      'This server has "flights" and "trains"; say which by ?model=<name>, and &version= for one of several.',
    ],
    ['an unknown name', '?model=ships', 404, 'There is no model "ships" here; this server has "flights" and "trains".'],
    [
      'an unknown version',
      '?model=flights&version=3',
      404,
      'There is no version "3" of "flights" here, only "1" and "2".',
    ],
    [
      'a misspelt question',
      '?modle=trains',
      400,
      'Ask by ?model=<name>&version=<version>, each once, and not by "modle".',
    ],
    [
      'two names',
      '?model=trains&model=flights',
      400,
      'Ask by ?model=<name>&version=<version>, each once, and not by "model".',
    ],
  ])('says what it has where there is %s', async (_what, query, status, error) => {
    expect(await admin(`${ADMIN_PATHS.evidence}${query}`)).toEqual({ status, body: { error } });
  });
});

test('a pod has evidence of its own model only, asked by name or not', async () => {
  const server = await startServer(await writeArtifact({ 'model.onnx': encodeModel(affine) }));
  await server.logged('ready');
  const asked = async (query: string) =>
    (await server.fetch('admin', `${ADMIN_PATHS.evidence}${query}`, { headers: ADMIN })).status;
  expect(await Promise.all(['', '?model=flights', '?model=flights&version=1.4.0'].map(asked))).toEqual([200, 200, 200]);
  expect(await Promise.all(['?model=trains', '?version=2'].map(asked))).toEqual([404, 404]);
  await server.kill();
});

test('a model without a baseline says so, in a pod and in a folder', async () => {
  const artifact = await writeArtifact({ 'model.onnx': encodeModel(affine) });
  for (const [server, error] of [
    [await startServer(artifact), 'Model "flights" has no baseline.json.'],
    [await startFolder(artifact.directory), expect.stringMatching(/^Model "served-.*" has no baseline\.json\.$/)],
  ] as const) {
    await server.logged('ready');
    const answer = await server.fetch('admin', ADMIN_PATHS.baseline, { headers: ADMIN });
    expect([answer.status, await answer.json()]).toEqual([404, { error }]);
    await server.kill();
  }
});
