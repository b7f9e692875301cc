import { expect, test } from 'vitest';
import { revisionFor } from './builders.ts';
import { Cluster } from './model/cluster.ts';

const reasonOf = ({ latest }: Cluster): string =>
  latest.status.conditions?.find(({ type }) => type === 'RolloutComplete')?.reason ?? '';

/** Passes with time between them until the candidate has this weight. */
function until(cluster: Cluster, arrived: () => boolean, passes: number): void {
  for (let pass = 0; pass < passes && !arrived(); pass += 1) {
    cluster.pass(() => undefined);
    cluster.settlePods();
    cluster.elapse(5);
  }
}

test.each([0, 1])(
  'a split that was counted while version 1.%i.0 had no ready pod keeps nothing once it has',
  (minor) => {
    const cluster = new Cluster({ steps: [{ weight: 50 }, { weight: 100 }], guards: [] }, 2);
    until(cluster, () => cluster.latest.status.candidate?.weight === 50, 10);
    cluster.pass(() => undefined);
    const lost = cluster.pods.get(revisionFor(minor));
    for (let second = 0; second < 120; second += 1) {
      // The candidate alone without a pod would be taken back: it is lost with no look between.
      if (lost !== undefined) lost.ready = 0;
      cluster.elapse(1);
      if (minor === 0) cluster.pass(() => undefined);
    }
    if (minor === 1) cluster.pass(() => undefined);
    expect(cluster.latest.status.candidate?.weight).toBe(50);
    cluster.settlePods();
    until(cluster, () => reasonOf(cluster) === 'Complete', 6);
    expect(reasonOf(cluster)).toBe('Complete');
  },
);
