import { describe, expect, test } from 'vitest';
import { childJob, trainingJob } from '../../../test/trainingBuilders.ts';
import type { Workload } from '../../api/kueue.ts';
import type { Client } from '../../kube/client.ts';
import { ApiError } from '../../kube/errors.ts';
import { QueueReader, standing } from './queueReader.ts';

const { signal } = new AbortController();
const queued = trainingJob({ queue: 'team-a' });
const held = { ...childJob('nightly-a0'), spec: { suspend: true, template: {} } };
const workload = (...conditions: NonNullable<NonNullable<Workload['status']>['conditions']>): Workload => ({
  apiVersion: 'kueue.x-k8s.io/v1beta2',
  kind: 'Workload',
  metadata: { name: 'job-nightly' },
  status: { conditions },
});
const condition = (type: string, status: 'True' | 'False', reason: string) => ({
  type,
  status,
  reason,
  message: 'as it says',
});

/** A server that answers for some versions of Kueue's API. */
function reader(answers: Readonly<Record<string, Workload[] | ApiError>>): {
  readonly reader: QueueReader;
  readonly asked: string[];
} {
  const asked: string[] = [];
  const list = async ({ version }: { version: string }) => {
    asked.push(version);
    const answer = answers[version] ?? new ApiError(404, 'NotFound', 'no such kind');
    if (answer instanceof ApiError) throw answer;
    return answer;
  };
  return { reader: new QueueReader({ list } as unknown as Client), asked };
}

describe('what is told of a queue', () => {
  test('nothing where there is none, or the Job is let go: nobody is asked', async () => {
    const { reader: queue, asked } = reader({});
    expect(await queue.read(trainingJob(), held, signal)).toBeUndefined();
    expect(await queue.read(queued, childJob('nightly-a0'), signal)).toBeUndefined();
    expect(asked).toEqual([]);
  });

  test('an older Kueue is asked by its own version', async () => {
    const { reader: queue, asked } = reader({ v1beta1: [workload(condition('QuotaReserved', 'False', 'Pending'))] });
    expect(await queue.read(queued, held, signal)).toBe('Pending: as it says');
    expect(asked).toEqual(['v1beta2', 'v1beta1']);
  });

  test('no Kueue at all is said: nobody would ever start the job', async () => {
    expect(await reader({}).reader.read(queued, held, signal)).toContain('There is no Kueue in this cluster');
  });

  test('a Kueue that has not looked yet', async () => {
    expect(await reader({ v1beta2: [] }).reader.read(queued, held, signal)).toContain('has not taken the job up yet');
  });

  test('without the right to ask, nothing; any other trouble is trouble', async () => {
    const refused = reader({ v1beta2: new ApiError(403, 'Forbidden', 'no') });
    expect(await refused.reader.read(queued, held, signal)).toBeUndefined();
    const down = reader({ v1beta2: new ApiError(503, 'ServiceUnavailable', 'down') });
    await expect(down.reader.read(queued, held, signal)).rejects.toThrow('down');
  });

  test('the condition that says most is told', () => {
    const waits = condition('QuotaReserved', 'False', 'Pending');
    expect(standing(workload(waits, condition('Evicted', 'True', 'Preempted')))).toBe('Preempted: as it says');
    expect(standing(workload(waits, condition('Evicted', 'False', 'Old')))).toBe('Pending: as it says');
    expect(standing(workload())).toContain('has not been tried yet: others stand before it');
  });
});
