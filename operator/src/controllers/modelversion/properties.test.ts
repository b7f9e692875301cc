import { encodeReport, STAGES } from '@slipway/crds';
import { ANNOTATIONS } from '@slipway/crds/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AT, after, childJob, pod } from '../../../test/trainingBuilders.ts';
import type { ModelVersion } from '../../api/kinds.ts';
import { brokenLink } from '../../domain/chain.ts';
import { digestOf, registered, service } from '../../domain/registry/builders.ts';
import { keptBecause } from '../../domain/registry/retention.ts';
import { mergeConditions } from '../../kube/conditions.ts';
import type { Stored } from '../../kube/wire.ts';
import { type JobWorld, NO_JOB } from '../jobs/jobWorld.ts';
import { NOTHING_LACKS } from './needs.ts';
import { plan } from './plan.ts';
import { NOTICE_MS } from './removal.ts';
import type { Plan, World } from './world.ts';

const reportOf = (version: string): string =>
  encodeReport({
    schema: 'slipway.dev/verification/v1',
    digest: digestOf(version),
    files: 1,
    bytes: 1,
    signature: { inputs: [], outputs: [] },
    gates: [],
  }) ?? '';

const ended = (container: string, end: 'Complete' | 'Failed', message: string): JobWorld => ({
  job: childJob(container, end),
  pods: [
    pod({
      container,
      phase: end === 'Complete' ? 'Succeeded' : 'Failed',
      exitCode: end === 'Complete' ? 0 : 1,
      message,
    }),
  ],
});
const verifications: fc.Arbitrary<JobWorld> = fc.constantFrom(
  NO_JOB,
  { job: childJob('verify'), pods: [] },
  ended('verify', 'Complete', reportOf('1.0.0')),
  ended('verify', 'Complete', reportOf('2.0.0')),
  ended('verify', 'Failed', 'killed'),
);
/** The Job is the operator's own, or was made by somebody else, with or without one of ours before it. */
const verifier = fc.constantFrom('verify-uid', 'verify-uid', 'before-uid', undefined);
const removals: fc.Arbitrary<JobWorld> = fc.constantFrom(
  NO_JOB,
  NO_JOB,
  { job: childJob('remove'), pods: [] },
  ended('remove', 'Complete', ''),
  ended('remove', 'Failed', 'AccessDenied'),
);
const named = { version: '1.0.0', digest: digestOf('1.0.0'), revision: 'r' };
const services = fc.constantFrom([], [], [service({ stable: named })], [service({}, { version: '1.0.0' })]);

const version: fc.Arbitrary<Stored<ModelVersion>> = fc
  .record({
    stage: fc.constantFrom(...STAGES),
    asked: fc.constantFrom(...STAGES),
    approval: fc.constantFrom(undefined, 'Required' as const),
    fresh: fc.boolean(),
    retention: fc.boolean(),
    verify: fc.constantFrom(undefined, 'now'),
    deleted: fc.boolean(),
  })
  .map(({ stage, asked, approval, fresh, retention, verify, deleted }) => {
    const mv = registered('1.0.0', stage, {
      spec: { stage: asked, ...(approval && { approval }), ...(retention && { retention: { newest: 1 } }) },
      status: { ...(fresh && { conditions: [] }), ...(deleted && { deletedAt: AT }) },
    });
    const annotations = verify === undefined ? {} : { [ANNOTATIONS.verify]: verify };
    return { ...mv, metadata: { ...mv.metadata, annotations } };
  });
const siblings = fc.constantFrom<ModelVersion[]>(
  [],
  [registered('1.1.0', 'Candidate')],
  [registered('1.1.0', 'Production')],
);

const worlds: fc.Arbitrary<World> = fc
  .record({
    mv: version,
    verification: verifications,
    removal: removals,
    services,
    siblings,
    verifier,
    second: fc.nat(1000),
  })
  .map(({ second, ...rest }) => ({ ...rest, others: rest.siblings, needs: NOTHING_LACKS, now: after(second) }));

const written = ({ mv, now }: World, { status, observed }: Plan): Stored<ModelVersion> => ({
  ...mv,
  status: { ...status, conditions: mergeConditions(mv.status?.conditions ?? [], observed, 1, now) },
});
const noted = ({ mv }: World) => mv.status?.conditions?.find(({ type }) => type === 'FilesKept');

test('in an unchanged world a version comes to rest, and its record holds together', () => {
  fc.assert(
    fc.property(worlds, (first) => {
      let world = first;
      for (let pass = 0; pass < 3; pass += 1) world = { ...world, mv: written(world, plan(world)) };
      const { status } = world.mv;
      expect(written(world, plan(world)).status).toEqual(status);
      expect(plan(world).events.filter(({ action }) => action === 'SetStage')).toEqual([]);
      expect(brokenLink(status?.history ?? [])).toBeUndefined();
    }),
    { numRuns: 1000 },
  );
});

/** Half of them are of a version that nobody needs any more: drawn at random that is one in hundreds. */
const mostlyLeaving: fc.Arbitrary<World> = fc.oneof(
  worlds,
  worlds.map((world) => ({
    ...world,
    mv: registered('1.0.0', 'Archived', { spec: { retention: { newest: 1 } } }),
    verification: NO_JOB,
    services: [],
    siblings: [registered('1.1.0', 'Candidate')],
    others: [registered('1.1.0', 'Candidate')],
  })),
);

test('files go only after their notice, while nothing needs them, and never come back to serve', () => {
  let started = 0;
  fc.assert(
    fc.property(mostlyLeaving, fc.nat(120), services, (first, later, then) => {
      const announced = { ...first, removal: NO_JOB, mv: written(first, plan({ ...first, removal: NO_JOB })) };
      const now = new Date(announced.now.getTime() + later * 1000);
      const world = { ...announced, verification: NO_JOB, now, services: then };
      const { actions, status, observed } = plan(world);
      if (status.deletedAt !== undefined) {
        expect(observed.find(({ type }) => type === 'Ready')?.status).toBe('False');
      }
      if (!actions.some(({ kind }) => kind === 'StartRemoval')) return;
      started += 1;
      const { mv, siblings: around, others } = world;
      expect(keptBecause({ version: mv, siblings: around, others, services: then })).toBeUndefined();
      const since = Date.parse(noted(world)?.lastTransitionTime ?? '');
      expect(now.getTime() - since).toBeGreaterThanOrEqual(NOTICE_MS);
      expect(observed.find(({ type }) => type === 'Ready')?.status).toBe('False');
    }),
    { numRuns: 1000 },
  );
  expect(started).toBeGreaterThan(20);
});
