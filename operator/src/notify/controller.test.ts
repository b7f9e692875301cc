import type { InferenceServiceStatus } from '@slipway/crds';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { InferenceService } from '../api/kinds.ts';
import type { ControllerContext, EventNote, Reconciler } from '../kube/contracts.ts';
import type { Stored } from '../kube/wire.ts';
import { type NotifySurroundings, notifyController } from './controller.ts';
import { postWithin } from './sink.ts';
import { type Entry, historyOf, service } from './testing/service.ts';
import { LoopbackSink } from './testing/sink.ts';

const KEY = { namespace: 'team-a', name: 'flights' };
const ROLLOUT: readonly Entry[] = [
  { reason: 'RolloutStarted' },
  { reason: 'AwaitingApproval', to: 'AwaitingApproval' },
  { reason: 'Promoted' },
];
const TYPES = ['rolloutStarted', 'awaitingApproval', 'promoted'];

/** The API server as far as this controller knows it: one object whose status it applies a part of. */
async function operator(
  entries: readonly Entry[] = ROLLOUT,
  how: { readonly events?: string[]; readonly own?: boolean } = {},
) {
  const sink = await LoopbackSink.open();
  onTestFinished(() => sink.close());
  const notify = how.own === false ? undefined : { sink: sink.url, ...(how.events && { events: how.events }) };
  const state = {
    object: service({ history: historyOf(entries) }, notify),
    version: 7,
    writes: 0,
    /** What the cache shows where it lags behind. */
    cached: undefined as Stored<InferenceService> | undefined,
    now: 1_895_993_400_000,
  };
  const told: EventNote[] = [];
  const write = (status: Partial<InferenceServiceStatus>): Stored<InferenceService> => {
    const { metadata, status: before } = state.object;
    const next = { ...metadata, resourceVersion: String(++state.version) };
    state.object = { ...state.object, metadata: next, status: { ...before, ...status } as InferenceServiceStatus };
    return state.object;
  };
  const context = {
    store: () => ({ get: () => state.cached ?? state.object }),
    client: {
      get: async () => state.object,
      applyStatus: async (_: unknown, { status }: InferenceService) => {
        state.writes += 1;
        return write(status ?? {});
      },
    },
    events: { emit: (_: unknown, note: EventNote) => told.push(note) },
    now: () => new Date(state.now),
    random: () => 1,
  } as unknown as ControllerContext;
  const around: NotifySurroundings = { deliver: postWithin(300), backoff: { baseMs: 1000, maxMs: 300_000 } };
  const start = (cloudeventsSink?: string): Reconciler => notifyController({ cloudeventsSink }, around).build(context);
  const pass = (reconciler: Reconciler) => reconciler.reconcile(KEY, new AbortController().signal);
  const decide = (...more: readonly Entry[]) => {
    const { history = [] } = state.object.status ?? {};
    write({ history: [...history, ...historyOf(more, history.at(-1)?.hash)].slice(-32) });
  };
  return { sink, state, told, start, pass, decide };
}

describe('a sink', () => {
  test('is told of each decision once, in order, as a CloudEvent in structured mode', async () => {
    const { sink, state, start, pass } = await operator();
    const reconciler = start();
    expect(await pass(reconciler)).toEqual({ kind: 'settled' });
    expect(sink.types).toEqual(TYPES);
    expect(sink.posted[0]?.contentType).toBe('application/cloudevents+json; charset=utf-8');
    expect(state.object.status?.notified).toBe(state.object.status?.history?.[2]?.hash);
    const { writes } = state;
    expect(await pass(reconciler)).toEqual({ kind: 'settled' });
    expect([sink.posted.length, state.writes]).toEqual([3, writes]);
  });

  test('that answers 500 twice is asked again, later each time, and gets everything in order', async () => {
    const { sink, state, told, start, pass } = await operator();
    sink.answers.push({ status: 500 }, { status: 500 });
    const reconciler = start();
    expect(await pass(reconciler)).toMatchObject({ kind: 'again', afterMs: 1000 });
    expect(await pass(reconciler)).toMatchObject({ kind: 'again', afterMs: 1000 }); // an early pass asks nobody
    expect(sink.posted).toHaveLength(1);
    state.now += 1000;
    expect(await pass(reconciler)).toMatchObject({ kind: 'again', afterMs: 2000 });
    state.now += 2000;
    expect(await pass(reconciler)).toEqual({ kind: 'settled' });
    expect(sink.types).toEqual(TYPES);
    expect(sink.posted.map(({ event }) => event.id).slice(0, 3)).toEqual(Array(3).fill(sink.taken[0]?.id));
    expect(new Set(told.map(({ reason }) => reason))).toEqual(new Set(['NotificationDelayed']));
    expect(JSON.stringify(told)).not.toContain('secret-path');
  });

  test('that fails in the middle keeps what it took, and is told the rest', async () => {
    const { sink, state, start, pass } = await operator();
    sink.answers.push({ status: 202 }, { status: 503, headers: { 'retry-after': '30' } });
    const reconciler = start();
    expect(await pass(reconciler)).toMatchObject({ kind: 'again', afterMs: 30_000 });
    expect(state.object.status?.notified).toBe(state.object.status?.history?.[0]?.hash);
    state.now += 30_000;
    await pass(reconciler);
    expect(sink.types).toEqual(TYPES);
  });

  test('that is down over a restart of the operator loses nothing, however long that takes', async () => {
    const { sink, state, start, pass, decide } = await operator();
    sink.down = true;
    expect(await pass(start())).toMatchObject({ kind: 'again' });
    state.now += 7 * 24 * 3_600_000;
    decide({ reason: 'RolledBack' });
    expect(await pass(start())).toMatchObject({ kind: 'again' });
    sink.down = false;
    expect(await pass(start())).toEqual({ kind: 'settled' });
    expect(sink.types).toEqual([...TYPES, 'rolledBack']);
    expect(new Set(sink.taken.map(({ id }) => id)).size).toBe(4);
  });

  test('that never answers is given up for now', async () => {
    const { sink, start, pass } = await operator();
    sink.silent = true;
    expect(await pass(start())).toMatchObject({
      kind: 'again',
      why: expect.stringContaining('no answer within 300 ms'),
    });
  });

  test.each([400, 404, 413, 301])(
    'that refuses with %i is not asked again, and the next event is its',
    async (status) => {
      const { sink, told, start, pass } = await operator();
      sink.answers.push({ status, headers: { location: 'http://127.0.0.1:9/' } });
      expect(await pass(start())).toEqual({ kind: 'settled' });
      expect(sink.types).toEqual(TYPES.slice(1));
      expect(told).toEqual([
        expect.objectContaining({
          reason: 'NotificationRefused',
          message: expect.stringContaining(`it answered ${status}`),
        }),
      ]);
    },
  );

  test.each([408, 429])('that answers %i is asked again', async (status) => {
    const { sink, start, pass } = await operator();
    sink.answers.push({ status });
    expect(await pass(start())).toMatchObject({ kind: 'again' });
  });

  test('is not told again by a pass over an object from before the mark', async () => {
    const { sink, state, start, pass } = await operator();
    const reconciler = start();
    state.cached = state.object;
    await pass(reconciler);
    await pass(reconciler);
    expect(sink.types).toEqual(TYPES);
  });

  test('flagger#1816: is told of a candidate that never becomes ready', async () => {
    const { sink, start, pass } = await operator([
      { reason: 'RolloutStarted' },
      { reason: 'RolledBack', message: '0 of 2 pods were ready by the progress deadline.' },
    ]);
    await pass(start());
    expect(sink.taken.at(-1)?.data.message).toBe('0 of 2 pods were ready by the progress deadline.');
  });

  test('gets a long history in several passes', async () => {
    const { sink, start, pass } = await operator(Array.from({ length: 20 }, () => ({ reason: 'Promoted' })));
    const reconciler = start();
    expect(await pass(reconciler)).toMatchObject({ kind: 'again', afterMs: 0 });
    expect(sink.taken).toHaveLength(8);
    await pass(reconciler);
    expect(await pass(reconciler)).toEqual({ kind: 'settled' });
    expect(sink.taken).toHaveLength(20);
  });

  test('is told that something is missing where the history was too short for its absence', async () => {
    const { sink, told, start, pass, decide } = await operator();
    sink.down = true;
    await pass(start());
    for (let i = 0; i < 40; i++) decide({ reason: 'Promoted' });
    sink.down = false;
    await pass(start());
    expect(told.map(({ reason }) => reason)).toContain('NotificationsLost');
    expect(sink.taken).toHaveLength(8);
  });
});

describe('a service without a sink', () => {
  test('is told to that of the operator, or to nobody, and then costs no write', async () => {
    const { sink, state, start, pass } = await operator(ROLLOUT, { own: false });
    expect(await pass(start())).toEqual({ kind: 'settled' });
    expect([sink.posted.length, state.writes]).toEqual([0, 0]);
    await pass(start(sink.url));
    expect(sink.types).toEqual(TYPES);
  });
});
