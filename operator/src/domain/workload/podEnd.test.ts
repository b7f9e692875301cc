import { describe, expect, test } from 'vitest';
import { pod } from '../../../test/trainingBuilders.ts';
import { failuresOf, isDecisive, lastMessages } from './podEnd.ts';

const document = (reason: string) =>
  JSON.stringify({ schema: 'slipway.dev/termination/v1', reason, message: 'no column label' });

describe('how pods failed', () => {
  test('kubeflow/trainer#1749: the exit code and the last words are told', () => {
    const failed = pod({ phase: 'Failed', exitCode: 3, message: 'Traceback:\n  ValueError: bad row\n' });
    expect(failuresOf([failed], 'train')).toMatchObject([{ exitCode: 3, message: 'Traceback: | ValueError: bad row' }]);
  });

  test('the rank that died first is the cause, not those told to stop after it', () => {
    const told = pod({ index: 0, phase: 'Failed', exitCode: 143, finishedAt: '2026-01-01T00:00:09Z' });
    const cause = pod({ index: 1, phase: 'Failed', exitCode: 7, finishedAt: '2026-01-01T00:00:05Z' });
    expect(failuresOf([told, cause], 'train').map(({ exitCode }) => exitCode)).toEqual([7, 143]);
  });

  test('a pod of which no container lived to exit comes after those that did', () => {
    const evicted = pod({ index: 0, phase: 'Failed', waiting: { reason: 'PodInitializing' }, disrupted: 'drained' });
    const cause = pod({ index: 1, phase: 'Failed', exitCode: 7 });
    const [first, second] = failuresOf([evicted, cause], 'train');
    expect(first?.exitCode).toBe(7);
    expect(second).toMatchObject({ exitCode: undefined, disrupted: true, message: 'drained' });
  });

  test('a container that the user added is the cause where it ended the pod, and not where it was told to stop', () => {
    const added = (exitCode: number) => {
      const made = pod({ phase: 'Failed', exitCode: 0 });
      const status = { name: 'fluentd', image: '', imageID: '', ready: false, restartCount: 0 };
      const ended = { ...status, state: { terminated: { exitCode, message: 'no config' } } };
      return {
        ...made,
        status: { ...made.status, containerStatuses: [...(made.status?.containerStatuses ?? []), ended] },
      };
    };
    expect(failuresOf([added(2)], 'train')).toMatchObject([
      { container: 'fluentd', exitCode: 2, message: 'no config' },
    ]);
    expect(failuresOf([added(143)], 'train')).toMatchObject([{ container: undefined, exitCode: undefined }]);
  });

  test('our termination document gives the reason, and reads as a sentence', () => {
    const [failure] = failuresOf(
      [pod({ phase: 'Failed', exitCode: 1, message: document('PredictionsInvalid') })],
      'train',
    );
    expect(failure).toMatchObject({ reason: 'PredictionsInvalid', message: 'PredictionsInvalid: no column label' });
  });

  test('a reason outside the contract stays text', () => {
    const [failure] = failuresOf([pod({ phase: 'Failed', exitCode: 1, message: document('Whatever') })], 'train');
    expect(failure).toMatchObject({ reason: undefined, message: 'Whatever: no column label' });
  });

  test('OOMKilled is told apart from any other 137', () => {
    const oom = pod({ phase: 'Failed', exitCode: 137, reason: 'OOMKilled' });
    const kill = pod({ phase: 'Failed', exitCode: 137, reason: 'Error' });
    expect(failuresOf([oom], 'train')[0]?.outOfMemory).toBe(true);
    expect(failuresOf([kill], 'train')[0]?.outOfMemory).toBe(false);
  });

  test('only a fault of the input is decisive', () => {
    const of = (reason: string) =>
      failuresOf([pod({ phase: 'Failed', exitCode: 1, message: document(reason) })], 'train');
    expect(of('DigestMismatch').map(isDecisive)).toEqual([true]);
    expect(of('StoreUnavailable').map(isDecisive)).toEqual([false]);
    expect(of('Whatever').map(isDecisive)).toEqual([false]);
  });

  test('only containers that ended well leave a report', () => {
    const well = pod({ index: 0, phase: 'Succeeded', exitCode: 0, message: 'report' });
    const badly = pod({ index: 1, phase: 'Failed', exitCode: 1, message: 'cause' });
    expect(lastMessages([well, badly], 'train')).toEqual(['report']);
  });
});
