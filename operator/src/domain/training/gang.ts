import { createHash } from 'node:crypto';
import type { Job, Pod } from '../../api/builtin.ts';

const INDEX = 'batch.kubernetes.io/job-completion-index';

/** The index of a pod in its Job; undefined: not a pod of an Indexed Job. */
export function indexOf({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[INDEX];
  return text === undefined ? undefined : Number(text);
}

/** Indexes of a Job that are done, from their short form `0-3,7`. */
export function completedIndexes({ status }: Pick<Job, 'status'>): Set<number> {
  const done = new Set<number>();
  for (const part of (status?.completedIndexes ?? '').split(',').filter((text) => text !== '')) {
    const [from = 0, to = from] = part.split('-').map(Number);
    for (let index = from; index <= to; index += 1) done.add(index);
  }
  return done;
}

/** Which pod stands at each index, as one short text; undefined while an index has none. */
export function gangOf(pods: readonly Pod[], nodes: number): string | undefined {
  const uids = new Map(pods.map((pod) => [indexOf(pod), pod.metadata.uid ?? '']));
  const all = Array.from({ length: nodes }, (_, index) => uids.get(index));
  if (all.some((uid) => uid === undefined)) return undefined;
  return createHash('sha256').update(all.join()).digest('hex').slice(0, 16);
}

/** What became of a gang whose pods were once all there. */
export interface Gap {
  readonly index: number | undefined;
  readonly how: 'deleted' | 'replaced';
}

/**
 * A pod of a gang that is gone or is another one now. The Job replaces a pod that was deleted before it ended without
 * counting a failure (kubernetes-sigs/jobset#574), and the newcomer would wait in vain for the others to meet it. Pods
 * of indexes that are done may go.
 */
export function gapIn(
  gang: string | undefined,
  job: Pick<Job, 'status'>,
  pods: readonly Pod[],
  nodes: number,
): Gap | undefined {
  if (gang === undefined) return undefined;
  const now = gangOf(pods, nodes);
  if (now !== undefined) return now === gang ? undefined : { index: undefined, how: 'replaced' };
  const there = new Set(pods.map(indexOf));
  const done = completedIndexes(job);
  const index = Array.from({ length: nodes }, (_, i) => i).find((i) => !there.has(i) && !done.has(i));
  return index === undefined ? undefined : { index, how: 'deleted' };
}
