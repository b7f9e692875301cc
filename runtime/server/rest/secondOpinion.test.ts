import { REQUEST_HEADERS, SECOND_OPINION } from '@slipway/crds/contract';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { answerOf, type Done, type Order, type Outcome } from '../batching/scheduler.ts';
import { EngineError } from '../engine/engine.ts';
import type { ServedModel } from '../models/servedModel.ts';
import { mirror, openTestModel, type TestModel } from './testing/models.ts';
import { GOOD, INFER } from './testing/refusals.ts';
import { serving } from './testing/serving.ts';
import { post } from './testing/socket.ts';

const SAID = { [REQUEST_HEADERS.shadow]: `${SECOND_OPINION}rollout/1/1` };
const COPY = { ...SAID, [REQUEST_HEADERS.apiKey]: 'Shadow pass' };
const admitsCopy = (order: string, authorization: string) =>
  order === SAID[REQUEST_HEADERS.shadow] && authorization === 'Shadow pass';

let opened: TestModel;
let outcome: Outcome;
beforeAll(async () => {
  opened = await openTestModel(mirror);
  const lease = opened.model.scheduler.lease([
    [1, 2],
    [1, 1],
  ]);
  outcome = await answerOf(lease, { outputs: ['x_out', 'n_out'] });
  return () => opened.close();
});

/** The model with an engine whose answers the test gives. */
function held() {
  const asked: { readonly order: Order; readonly done: Done }[] = [];
  const { scheduler } = opened.model;
  const lease: typeof scheduler.lease = (shapes) => {
    const { inputs, release } = scheduler.lease(shapes);
    release();
    const submit = (order: Order, done: Done) => {
      asked.push({ order, done });
      return { cancel: () => undefined };
    };
    return { inputs, release: () => undefined, submit };
  };
  const model: ServedModel = { ...opened.model, scheduler: { ...scheduler, batchable: true, lease } };
  const submitted = (count: number) => vi.waitFor(() => expect(asked).toHaveLength(count));
  const answer = (at: number) => asked[at]?.done(undefined, outcome);
  const refuse = (at: number) => asked[at]?.done(new EngineError('Overloaded', 'Others are asking.'), undefined);
  return { model, asked, submitted, answer, refuse };
}

const counts = () => opened.model.evidence.counts();
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
const timed = () => sum(counts().latency.counts);

describe('a copy for a second opinion', () => {
  let before: ReturnType<typeof counts>;
  beforeEach(() => {
    before = counts();
  });

  test('yields to everybody, and is counted apart', async () => {
    const { model, asked, submitted, answer } = held();
    const { send } = await serving([model], { admitsCopy });
    const [copy] = [send(post(INFER, GOOD, COPY)), await submitted(1)];
    expect(asked[0]?.order).toMatchObject({ yields: true });
    answer(0);
    expect((await copy).status).toBe(200);
    const { requests, batches, latency, queue, compute } = before;
    expect(counts()).toMatchObject({ requests, batches, latency, queue, compute });
    expect(counts().copies?.ok).toBe((before.copies?.ok ?? 0) + 1);
  });

  test('that is refused for load is counted nowhere: no failure of the candidate, and no request that was shed', async () => {
    const { model, submitted, refuse } = held();
    const { send } = await serving([model], { admitsCopy });
    const [copy] = [send(post(INFER, GOOD, COPY)), await submitted(1)];
    refuse(0);
    expect((await copy).status).toBe(503);
    const { requests, copies } = before;
    expect(counts()).toMatchObject({ requests, copies });
  });

  test('makes no live request slow: how long one took that came beside it is not counted, whatever it was', async () => {
    const { model, asked, submitted, answer } = held();
    const { send } = await serving([model], { admitsCopy });
    const [copy] = [send(post(INFER, GOOD, COPY)), await submitted(1)];
    const [beside] = [send(post(INFER, GOOD)), await submitted(2)];
    expect(asked[1]?.order.yields).toBeUndefined();
    answer(0);
    await copy;
    const [after] = [send(post(INFER, GOOD)), await submitted(3)];
    answer(1);
    answer(2);
    expect([(await beside).status, (await after).status]).toEqual([200, 200]);
    expect(counts().requests.ok).toBe(before.requests.ok + 2);
    expect(timed()).toBe(sum(before.latency.counts) + 1);
  });

  test('whose caller goes away keeps no later request out of the count', async () => {
    const { model, submitted, answer } = held();
    const { send, rest } = await serving([model], { admitsCopy });
    void send((socket) => {
      socket.write(post(INFER, GOOD, COPY));
      setTimeout(() => socket.destroy(), 0);
    }).catch(() => undefined);
    await submitted(1);
    await vi.waitFor(() => expect(rest.inFlight).toBe(0));
    answer(0);
    const [after] = [send(post(INFER, GOOD)), await submitted(2)];
    answer(1);
    await after;
    expect(timed()).toBe(sum(before.latency.counts) + 1);
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ['no pass', SAID],
    ['another pass', { ...SAID, [REQUEST_HEADERS.apiKey]: 'Shadow guess' }],
    ['the pass of another order', { ...COPY, [REQUEST_HEADERS.shadow]: `${SECOND_OPINION}rollout/1/2` }],
  ])(
    'is one with a pass: with %s a caller is in the count, yields to nobody and hides no latency',
    async (_, headers) => {
      const { model, asked, submitted, answer } = held();
      const { send } = await serving([model], { admitsCopy });
      const [pretended] = [send(post(INFER, GOOD, headers)), await submitted(1)];
      const [beside] = [send(post(INFER, GOOD)), await submitted(2)];
      expect(asked[0]?.order.yields).toBeUndefined();
      answer(0);
      answer(1);
      expect([(await pretended).status, (await beside).status]).toEqual([200, 200]);
      expect(counts().requests.ok).toBe(before.requests.ok + 2);
      expect(timed()).toBe(sum(before.latency.counts) + 2);
      expect(counts().copies).toEqual(before.copies);
    },
  );
});
