import { expect, test } from 'vitest';
import type { Client } from './client.ts';
import { systemClock } from './clock.ts';
import { Recorder } from './events.ts';
import { type Log, silentLog, silentMeter } from './observe.ts';

const about = { apiVersion: 'v1', kind: 'InferenceService', metadata: { name: 'flights', namespace: 'ml', uid: 'u' } };

test('what is told as an Event stands in the log too, one line each, in the same words', async () => {
  const lines: unknown[] = [];
  const log: Log = {
    ...silentLog,
    info: (fields, message) => lines.push(['info', fields, message]),
    warn: (fields, message) => lines.push(['warn', fields, message]),
  };
  const told: unknown[] = [];
  const client = { create: async (_resource: unknown, event: object) => void told.push(event) } as unknown as Client;
  const recorder = new Recorder({
    client,
    clock: systemClock,
    log,
    meter: silentMeter,
    controller: 'c',
    instance: 'i',
  });
  const message = 'Guard errors failed: 30% of 100 requests (between 18% and 100%), limit 2%.';
  recorder.emit(about, { type: 'Normal', reason: 'WeightChanged', action: 'Shift', message: 'goes to 5%' });
  recorder.emit(about, { type: 'Warning', reason: 'RolledBack', action: 'RollBack', message });
  await recorder.flush();
  const named = { kind: 'InferenceService', namespace: 'ml', name: 'flights' };
  expect(lines).toEqual([
    ['info', { ...named, reason: 'WeightChanged', action: 'Shift' }, 'goes to 5%'],
    ['warn', { ...named, reason: 'RolledBack', action: 'RollBack' }, message],
  ]);
  expect(told).toMatchObject([{ note: 'goes to 5%' }, { note: message }]);
});
