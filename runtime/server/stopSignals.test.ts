import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { firstStopSignal, type StopSignal } from './stopSignals.ts';

test('the first signal asks, each one after it insists', async () => {
  const source = new EventEmitter();
  const insisted: StopSignal[] = [];
  const first = firstStopSignal(source, (signal) => insisted.push(signal));
  source.emit('SIGINT', 'SIGINT');
  expect([await first, insisted]).toEqual(['SIGINT', []]);
  source.emit('SIGTERM', 'SIGTERM');
  source.emit('SIGINT', 'SIGINT');
  expect(insisted).toEqual(['SIGTERM', 'SIGINT']);
});
