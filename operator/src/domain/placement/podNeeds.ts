import type { Pod } from '../../api/builtin.ts';
import { type Amounts, amountsOf } from './quantity.ts';

type PodSpec = NonNullable<Pod['spec']>;
type Container = PodSpec['containers'][number];

/** A limit without a request is the request, as the server fills it in. */
const asked = ({ resources }: Container): Amounts =>
  amountsOf({ ...resources?.limits, ...resources?.requests } as Record<string, string>);

function combine(a: Amounts, b: Amounts, how: (x: number, y: number) => number): Amounts {
  const names = [...Object.keys(a), ...Object.keys(b)];
  return Object.fromEntries(names.map((name) => [name, how(a[name] ?? 0, b[name] ?? 0)]));
}
export const plus = (a: Amounts, b: Amounts): Amounts => combine(a, b, (x, y) => x + y);
const most = (a: Amounts, b: Amounts): Amounts => combine(a, b, Math.max);

/**
 * What the scheduler reserves for a pod: its containers and the sidecars together, or the hungriest init container with
 * the sidecars started before it, whichever is more, and the overhead of its runtime class. One of `pods` besides.
 * Source: KEP-753, "Resources calculation for scheduling and pod admission".
 */
export function podNeeds({ containers, initContainers = [], overhead }: PodSpec): Amounts {
  let sidecars: Amounts = {};
  let starting: Amounts = {};
  for (const container of initContainers) {
    if (container.restartPolicy === 'Always') {
      sidecars = plus(sidecars, asked(container));
      starting = most(starting, sidecars);
    } else starting = most(starting, plus(sidecars, asked(container)));
  }
  const running = containers.map(asked).reduce(plus, sidecars);
  return plus(plus(most(running, starting), amountsOf(overhead)), { pods: 1 });
}

const hasEnded = ({ status }: Pod): boolean => status?.phase === 'Succeeded' || status?.phase === 'Failed';

/** What pods hold of each node, by its name. */
export function takenBy(pods: readonly Pod[]): ReadonlyMap<string, Amounts> {
  const taken = new Map<string, Amounts>();
  for (const pod of pods) {
    const node = pod.spec?.nodeName;
    if (pod.spec === undefined || node === undefined || node === '' || hasEnded(pod)) continue;
    taken.set(node, plus(taken.get(node) ?? {}, podNeeds(pod.spec)));
  }
  return taken;
}
