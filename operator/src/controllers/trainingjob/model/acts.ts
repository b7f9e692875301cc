import fc from 'fast-check';
import type { PodFacts } from '../../../../test/trainingBuilders.ts';
import { DIGEST } from '../../../../test/trainingBuilders.ts';
import { rfc3339 } from '../../../kube/conditions.ts';
import type { Cluster, Cut, ModelPod } from './cluster.ts';

/** Something that happens to a TrainingJob, and how it is told. */
export interface Act {
  readonly told: string;
  readonly run: (cluster: Cluster) => void;
  /** The pass after it comes only so far. */
  readonly cut?: Cut;
}

const REPORT = JSON.stringify({
  schema: 'slipway.dev/publish/v1',
  uri: 'pvc://models/f',
  digest: DIGEST,
  files: 1,
  bytes: 1,
});

const at = (cluster: Cluster): string => rfc3339(new Date(cluster.now));

const pick = <T>(all: readonly T[], n: number): T | undefined => (all.length === 0 ? undefined : all[n % all.length]);

const onPod =
  (which: (cluster: Cluster) => readonly ModelPod[], n: number, change: (pod: ModelPod, cluster: Cluster) => void) =>
  (cluster: Cluster): void => {
    const found = pick(which(cluster), n);
    if (found !== undefined) change(found, cluster);
  };

const reachable = (cluster: Cluster): ModelPod[] =>
  cluster.livePods().filter(({ node, deletedAt }) => !cluster.lost.has(node) && deletedAt === undefined);
const running = (cluster: Cluster): ModelPod[] => reachable(cluster).filter(({ facts }) => facts.phase === 'Running');

const start = (pod: ModelPod, cluster: Cluster): void => {
  pod.facts = { ...pod.facts, phase: 'Running', startTime: pod.facts.startTime ?? at(cluster) };
};

const succeed = (pod: ModelPod, cluster: Cluster): void => {
  const message = pod.component === 'publish' ? REPORT : '';
  pod.facts = { ...pod.facts, phase: 'Succeeded', exitCode: 0, finishedAt: at(cluster), message };
};

const die =
  (facts: PodFacts) =>
  (pod: ModelPod, cluster: Cluster): void => {
    pod.facts = { ...pod.facts, phase: 'Failed', finishedAt: at(cluster), exitCode: 1, ...facts };
  };

const DEATHS: Readonly<Record<string, PodFacts>> = {
  'dies of its own fault': { message: 'KeyError' },
  'runs out of memory': { exitCode: 137, reason: 'OOMKilled' },
  'loses its accelerator': { message: 'NVRM: Xid (PCI:0000:3b:00): 79' },
  'loses a peer': { message: 'NCCL error' },
  'is evicted': { exitCode: 143, disrupted: 'drained' },
};

const every = (cluster: Cluster, change: (pod: ModelPod, cluster: Cluster) => void, of = reachable): void => {
  for (const pod of of(cluster)) change(pod, cluster);
};

const edit = (cluster: Cluster, change: object): void => {
  cluster.tj = { ...cluster.tj, spec: { ...cluster.tj.spec, ...change } };
};

const index = fc.nat(5);
const seconds = fc.constantFrom(1, 12, 45, 400, 4000);

const letGo = (cluster: Cluster): void => {
  if (cluster.tj.spec.queue !== undefined) for (const job of cluster.liveJobs()) cluster.queue(job, false);
};

/** All that it takes for an attempt to run: most of what can go wrong goes wrong then. */
const run = (cluster: Cluster): void => {
  letGo(cluster);
  cluster.reap();
  cluster.step();
  every(cluster, start);
};

export const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Act>({ told: 'the attempt runs', run }) },
  { weight: 6, arbitrary: fc.constant<Act>({ told: 'Kubernetes acts', run: (c) => c.step() }) },
  { weight: 4, arbitrary: fc.constant<Act>({ told: 'kubelets end what is deleted', run: (c) => c.reap() }) },
  { weight: 4, arbitrary: fc.constant<Act>({ told: 'all pods start', run: (c) => every(c, start) }) },
  { weight: 2, arbitrary: index.map((n): Act => ({ told: `pod ${n} starts`, run: onPod(reachable, n, start) })) },
  { weight: 2, arbitrary: fc.constant<Act>({ told: 'all pods end well', run: (c) => every(c, succeed, running) }) },
  { weight: 3, arbitrary: index.map((n): Act => ({ told: `pod ${n} ends well`, run: onPod(running, n, succeed) })) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(index, fc.constantFrom(...Object.entries(DEATHS)))
      .map(([n, [told, facts]]): Act => ({ told: `pod ${n} ${told}`, run: onPod(running, n, die(facts)) })),
  },
  {
    weight: 2,
    arbitrary: index.map(
      (n): Act => ({
        told: `pod ${n} is deleted by force`,
        run: onPod(reachable, n, (pod, c) => c.remove(pod)),
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: index.map(
      (n): Act => ({
        told: `pod ${n} is replaced before anybody looks`,
        run: onPod(reachable, n, (pod, c) => {
          c.remove(pod);
          c.step();
        }),
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: index.map(
      (n): Act => ({
        told: `the node of pod ${n} is lost`,
        run: onPod(running, n, ({ node }, c) => void c.lost.add(node)),
      }),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Act>({ told: 'lost nodes come back', run: (c) => c.lost.clear() }) },
  {
    weight: 2,
    arbitrary: index.map(
      (n): Act => ({
        told: `Job ${n} is deleted`,
        run: (c) => {
          const job = pick([...c.jobs.values()], n);
          if (job !== undefined) c.jobs.delete(job.name);
        },
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: index.map(
      (n): Act => ({
        told: `Job ${n} is deleted without its pods`,
        run: (c) => {
          const job = pick(c.liveJobs(), n);
          if (job === undefined) return;
          for (const pod of c.podsOf(job)) pod.orphaned = true;
          c.jobs.delete(job.name);
        },
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.boolean().map((suspend): Act => ({ told: `suspend: ${suspend}`, run: (c) => edit(c, { suspend }) })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(3), fc.nat(3)).map(
      ([restarts, disruptions]): Act => ({
        told: `${restarts} restarts, ${disruptions} disruptions`,
        run: (c) => edit(c, { failure: { ...c.tj.spec.failure, restarts, disruptions } }),
      }),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.boolean().map(
      (suspended): Act => ({
        told: suspended ? 'its queue takes it back' : 'its queue lets it go',
        run: (c) => {
          for (const job of c.tj.spec.queue === undefined ? [] : c.liveJobs()) c.queue(job, suspended);
        },
      }),
    ),
  },
  { weight: 4, arbitrary: seconds.map((s): Act => ({ told: `${s} s go by`, run: (c) => c.elapse(s) })) },
  {
    weight: 1,
    arbitrary: seconds.map((s): Act => ({ told: `the clock is set back ${s} s`, run: (c) => c.elapse(-s) })),
  },
  {
    weight: 3,
    arbitrary: fc
      .nat(3)
      .map((cut): Act => ({ told: `the operator dies after ${cut} writes`, run: () => undefined, cut })),
  },
);

/** Whatever is under way goes well. */
export function goWell(cluster: Cluster): void {
  cluster.lost.clear();
  run(cluster);
  cluster.pass();
  every(cluster, succeed, running);
  cluster.step();
}
