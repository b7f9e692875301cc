import type { Pod } from '../../api/builtin.ts';
import type { ExplainPod, PodWait } from './podWait.ts';
import { unschedulableMessage } from './podWait.ts';

/** Resources of a pod that only some nodes have: their names have a domain, such as nvidia.com/gpu. */
function acceleratorsOf({ spec }: Pod): Readonly<Record<string, number>> {
  const asked: Record<string, number> = {};
  for (const { resources } of spec?.containers ?? []) {
    for (const [name, quantity] of Object.entries({ ...resources?.requests, ...resources?.limits })) {
      if (name.includes('/') && Number(quantity) > 0) asked[name] = (asked[name] ?? 0) + Number(quantity);
    }
  }
  return asked;
}

/** The accelerator that the scheduler finds too few of for a pod, in its own words `Insufficient nvidia.com/gpu`. */
function lacking(pod: Pod): { readonly resource: string; readonly count: number } | undefined {
  const words = unschedulableMessage(pod) ?? '';
  const found = Object.entries(acceleratorsOf(pod)).find(([name]) => words.includes(`Insufficient ${name}`));
  return found && { resource: found[0], count: found[1] };
}

export interface Shortage extends Omit<PodWait, 'reason'> {
  readonly reason: 'InsufficientAccelerator';
}

/** How many accelerators the pods that no node takes lack in all; undefined: none of them waits for one. */
export function missingAccelerators(pods: readonly Pod[], explain: ExplainPod = () => undefined): Shortage | undefined {
  const short = pods.flatMap((pod) => {
    const found = lacking(pod);
    return found === undefined ? [] : [{ pod, ...found }];
  });
  const [first] = short;
  if (first === undefined) return undefined;
  const same = short.filter(({ resource }) => resource === first.resource);
  const missing = same.reduce((sum, { count }) => sum + count, 0);
  const why = (explain(first.pod) ?? unschedulableMessage(first.pod) ?? '').replace(/\.$/, '');
  const waiting = same.length === 1 ? '1 pod waits' : `${same.length} pods wait`;
  return {
    reason: 'InsufficientAccelerator',
    message: `${missing} more ${first.resource} ${missing === 1 ? 'is' : 'are'} needed: ${waiting} for ${first.count} each, and no node has them to spare (${why}). Free some, add a node, or write surge: Never to swap pods in place`,
  };
}
