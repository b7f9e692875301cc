import type { Socket } from 'node:net';
import type { ServingSettings } from '@slipway/crds/serving';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { RequestOutcome } from '../../evidence/modelEvidence.ts';
import { mirror, openTestModel, type TestModel, words } from './models.ts';
import { type Setup, serving } from './serving.ts';
import { post, type Received } from './socket.ts';

/** A request that must be refused, and how. */
export interface BadRequest {
  readonly what: string;
  readonly send: Uint8Array | ((socket: Socket) => void);
  readonly status: number;
  /** The sentence, which says what to write instead. */
  readonly error: string | RegExp;
  /** How the model counts it; absent: it never was a question to the model. */
  readonly counted?: RequestOutcome | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export const X = { name: 'x', datatype: 'FP32', shape: [1, 2], data: [1.5, 2] };
export const N = { name: 'n', datatype: 'INT8', shape: [1, 1], data: [3] };
export const GOOD = { inputs: [X, N] };
export const INFER = '/v2/models/mirror/infer';

/** Servers with the bounds that a theme needs; kept small where a bound is to be met. */
export interface RefusalSetup extends Setup {
  readonly limits?: Partial<ServingSettings['limits']>;
}

/**
 * Sends each of these to a real server with real models and holds the answer against the row: status, sentence, headers.
 * Then nothing may be left of it: the same server answers a good request rightly, nothing is leased, waiting, running or
 * open, the model has counted both as it should, and nothing was logged as a failure of ours.
 */
export function refuseEach(rows: readonly BadRequest[], setup: RefusalSetup = {}): void {
  let models: readonly TestModel[];
  beforeAll(async () => {
    models = [await openTestModel(mirror), await openTestModel(words)];
  });
  afterAll(() => Promise.all(models.map(({ close }) => close())));

  test.each(rows)('$what is $status', async (row) => {
    const port = await serving(
      models.map(({ model }) => model),
      setup,
    );
    const before = counted(models);
    const answer = await port.send(row.send);
    expectRefusal(answer, row);
    expect(models.map(({ model }) => model.identity.digest)).toContain(answer.headers['slipway-model-digest']);
    await expectAnswered(await port.send(post(INFER, GOOD, setup.access ? { authorization: 'Bearer good' } : {})));
    await vi.waitFor(() => expect(left(models, port.rest.inFlight)).toEqual(NOTHING));
    expect(counted(models)).toEqual(added(before, row.counted));
    expect(port.failures).toEqual([]);
  });
}

function expectRefusal(answer: Received, { status, error, headers = {} }: BadRequest): void {
  const sentence = typeof error === 'string' ? error : expect.stringMatching(error);
  expect([answer.status, answer.error]).toEqual([status, sentence]);
  expect(answer.headers).toMatchObject({ 'content-type': 'application/json', ...headers });
}

async function expectAnswered({ status, body }: Received): Promise<void> {
  const { outputs } = JSON.parse(body.toString());
  expect([status, outputs.map(({ data }: { data: unknown }) => data)]).toEqual([200, [X.data, N.data]]);
}

const NOTHING = { leased: 0, waiting: 0, running: 0, open: 0 };

const left = (models: readonly TestModel[], open: number) => ({
  leased: sum(models.map(({ leased }) => leased())),
  waiting: sum(models.map(({ model }) => model.scheduler.counts().waiting)),
  running: sum(models.map(({ model }) => model.scheduler.counts().running)),
  open,
});

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

function counted(models: readonly TestModel[]): Record<RequestOutcome, number> {
  const all = models.map(({ model }) => model.evidence.counts().requests);
  const of = (outcome: RequestOutcome) => sum(all.map((requests) => requests[outcome]));
  return { ok: of('ok'), clientError: of('clientError'), serverError: of('serverError'), shed: of('shed') };
}

const added = (before: Record<RequestOutcome, number>, outcome: RequestOutcome | undefined) => {
  const after = { ...before, ok: before.ok + 1 };
  if (outcome) after[outcome] += 1;
  return after;
};
