import { expect, test } from 'vitest';
import type { Engine } from '../engine/engine.ts';
import { fitThreads } from './fitThreads.ts';

/** Engines whose run takes `ms`, and what was opened and closed. */
function workshop(ms: number, canRunHere = true) {
  const events: string[] = [];
  const spin = () => {
    const end = performance.now() + ms;
    while (performance.now() < end);
    return [];
  };
  const open = async (threads?: number): Promise<Engine> => {
    events.push(`open ${threads}`);
    return {
      backend: 'ffi',
      signature: { inputs: [], outputs: [] },
      providers: ['cpu'],
      healthy: true,
      run: async () => spin(),
      ...(canRunHere ? { runHere: spin } : {}),
      close: async () => void events.push('close'),
    };
  };
  return { open, events };
}

test('a tiny model is opened anew with one thread', async () => {
  const { open, events } = workshop(0);
  await fitThreads(open, {}, () => []);
  expect(events).toEqual(['open undefined', 'close', 'open 1']);
});

test.each([
  ['that takes a while', 5, true, {}],
  ['whose threads somebody chose', 0, true, { threads: 2 }],
  ['that can only run elsewhere', 0, false, {}],
])('a model %s stays as it is', async (_what, ms, canRunHere, settings) => {
  const { open, events } = workshop(ms, canRunHere);
  await fitThreads(open, settings, () => []);
  expect(events).toEqual(['open undefined']);
});

test('a model that does not run on what is tried stays as it is', async () => {
  const { open, events } = workshop(0);
  const sample = () => {
    throw new Error('no sample');
  };
  await fitThreads(open, {}, sample);
  expect(events).toEqual(['open undefined']);
});
