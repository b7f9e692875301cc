import type { Pod } from '../../api/builtin.ts';

const endOf = ({ status }: Pod, now: Date): number => {
  const ends = (status?.containerStatuses ?? []).flatMap(
    ({ state }) => Date.parse(state?.terminated?.finishedAt ?? '') || [],
  );
  return ends.length === 0 ? now.getTime() : Math.max(...ends);
};

export interface Held {
  readonly pods: readonly Pod[];
  /** Accelerators of each pod. */
  readonly count: number;
  /** Pods of the attempt, and when the first of them ran, for when none of them is left to ask. */
  readonly nodes: number;
  readonly startedAt: string | undefined;
}

/** Accelerators times the whole seconds that the pods of one attempt held them: from their kubelet's start to their end. */
export function acceleratorSeconds({ pods, count, nodes, startedAt }: Held, now: Date): number {
  const started = pods.filter(({ status }) => status?.startTime !== undefined);
  const spans =
    started.length > 0
      ? started.map((pod) => endOf(pod, now) - Date.parse(pod.status?.startTime ?? ''))
      : [startedAt === undefined ? 0 : nodes * (now.getTime() - Date.parse(startedAt))];
  return Math.round((count * spans.reduce((sum, span) => sum + Math.max(0, span), 0)) / 1000);
}
