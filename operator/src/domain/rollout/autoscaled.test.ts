import { describe, expect, test } from 'vitest';
import { carryOut, evidenceOf, pods, requests, revisionFor, serving, specOf, targetOf, versionOf } from './builders.ts';
import { plan } from './plan.ts';
import { V0, V1 } from './planWorlds.ts';
import type { World } from './world.ts';

/** An autoscaler made eight of the two pods that the spec asks for at least. */
const LIVE = 8;

interface Pass {
  /** Of 10,000 requests, to the candidate. */
  readonly weight: number;
  readonly stable: number;
  readonly candidate: number;
}

/** An autoscaler gives what it is asked for at least, and under the same load takes no pod away. */
function scaled(world: World, decided: ReturnType<typeof plan>): World {
  const next = carryOut(world, decided);
  const kept = Object.entries(next.revisions).map(([revision, { replicas }]) => {
    const count = Math.max(replicas, world.revisions[revision]?.replicas ?? 0);
    return [revision, pods(count)] as const;
  });
  return { ...next, revisions: Object.fromEntries(kept) };
}

/** What each pass of a rollout leaves, with all pods there at the next one and guards that are content, until the end. */
function course(start: World): { readonly passes: readonly Pass[]; readonly end: World } {
  const passes: Pass[] = [];
  let world = start;
  for (let i = 0; i < 20 && world.status.stable?.revision !== V1; i += 1) {
    const decided = plan(world);
    const next = scaled(world, decided);
    const weight = decided.backends.find(({ revision }) => revision === V1)?.weight ?? 0;
    const count = (revision: string) => next.revisions[revision]?.replicas ?? 0;
    passes.push({ weight, stable: count(V0), candidate: count(V1) });
    const answered = [10_000 - weight, weight].map((share, minor) => [
      revisionFor(minor),
      evidenceOf(minor, requests(share * 10), count(revisionFor(minor))),
    ]);
    world = { ...next, now: new Date(next.now.getTime() + 60_000), evidence: Object.fromEntries(answered) };
  }
  return { passes, end: world };
}

describe('a service whose pods an autoscaler counts', () => {
  test('kserve#3768, flagger#1600, flagger#1209: keeps the pods it has while a version takes over, which has as many when it gets all requests', () => {
    const spec = specOf();
    const replicas = { min: 2, max: 10, target: { cpu: 60 } };
    const { passes, end } = course({
      ...serving,
      spec: { ...spec, predictor: { ...spec.predictor, replicas } },
      target: targetOf(1),
      revisions: { [V0]: pods(LIVE) },
    });
    expect(end.status.stable).toMatchObject(versionOf(1));
    expect([...new Set(passes.map(({ weight }) => weight))]).toEqual([0, 500, 5000, 10_000]);
    for (const { weight, stable, candidate } of passes) {
      expect(stable, `stable pods at ${weight / 100}%`).toBe(LIVE);
      expect(candidate, `new pods at ${weight / 100}%`).toBeGreaterThanOrEqual(Math.ceil((LIVE * weight) / 10_000));
    }
  });
});

test.each([
  [2, 5],
  [5, 3],
])(
  'kserve#6001, flagger#574: a changed number of pods reaches what serves in one pass: from %i to %i',
  (before, after) => {
    const world = { ...serving, spec: specOf({}, after), revisions: { [V0]: pods(before) } };
    expect(plan(world).replicas).toEqual({ [V0]: after });
  },
);
