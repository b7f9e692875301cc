import { expect, test } from 'vitest';
import { modelVersions, type TrainingJob, trainingJobs } from '../../api/kinds.ts';
import type { ControllerContext } from '../../kube/contracts.ts';
import type { Resource } from '../../kube/resource.ts';
import type { Stored } from '../../kube/wire.ts';
import { KnownClaims } from './knownClaims.ts';

const signal = new AbortController().signal;

const job = (name: string, version?: string, more: { phase?: string; at?: number } = {}): Stored<TrainingJob> =>
  ({
    metadata: { name, namespace: 'n', uid: name, resourceVersion: String(more.at ?? 1) },
    spec: { model: { name: 'flights' } },
    status: { version, phase: more.phase ?? 'Pending' },
  }) as unknown as Stored<TrainingJob>;

/** A cache that shows `cached`, and a server that has `stored`. */
function known(cached: readonly Stored<TrainingJob>[], stored: readonly Stored<TrainingJob>[] = []) {
  const lists: string[] = [];
  let now = 0;
  const shown = { jobs: cached };
  const context = {
    now: () => new Date(now),
    store: (resource: Resource) => ({ list: () => (resource.kind === trainingJobs.kind ? shown.jobs : []) }),
    client: {
      list: async ({ plural }: Resource) => {
        lists.push(plural);
        return stored;
      },
    },
  } as unknown as ControllerContext;
  const claims = new KnownClaims(context);
  const versions = async (): Promise<string[]> =>
    (await claims.taken(job('asks'), signal)).map(({ version }) => version).sort();
  const later = (ms: number): void => {
    now += ms;
  };
  return { claims, versions, lists, shown, later };
}

test('a claim counts before the cache shows it', async () => {
  const { claims, versions } = known([job('a')]);
  claims.remember(job('a', '1.0.0', { at: 2 }));
  claims.remember(job('b', '1.1.0', { at: 2 }));
  expect(await versions()).toEqual(['1.0.0', '1.1.0']);
});

test('what the leader before claimed last counts, and the server is asked for it once', async () => {
  const { versions, lists } = known([], [job('a', '1.0.0'), job('failed', '1.1.0', { phase: 'Failed' })]);
  expect(await versions()).toEqual(['1.0.0']);
  expect(await versions()).toEqual(['1.0.0']);
  expect(lists).toEqual([trainingJobs.plural]);
  expect(lists).not.toContain(modelVersions.plural);
});

test('the cache has the word once it shows something newer: a job that failed gives its version back', async () => {
  const { claims, versions, shown } = known([]);
  claims.remember(job('a', '1.0.0', { at: 2 }));
  shown.jobs = [job('a', '1.0.0', { at: 3, phase: 'Failed' })];
  expect(await versions()).toEqual([]);
});

test('a job that is gone holds its claim for a minute at most', async () => {
  const { claims, versions, later } = known([]);
  claims.remember(job('a', '1.0.0'));
  later(59_999);
  expect(await versions()).toEqual(['1.0.0']);
  later(1);
  expect(await versions()).toEqual([]);
});
