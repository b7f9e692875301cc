import { inferenceServiceSpecSchema } from '@slipway/crds';
import { describe, expect, test } from 'vitest';
import { wantedRevision } from '../../src/controllers/inferenceservice/target.ts';
import { revisionOf } from '../../src/domain/revision.ts';
import type { Client } from '../../src/kube/client.ts';
import { parseCommand } from '../arguments.ts';
import { COLUMNS } from '../render/text.ts';
import { gated, NOON, rolledBack, shifting } from '../samples.ts';
import { type PlanQuestion, planLines } from './plan.ts';
import { serviceIn, serviceOf } from './service.ts';
import { cleanRequests, stepSeconds } from './stepTable.ts';

const spec = inferenceServiceSpecSchema.parse({
  model: { name: 'flights', version: '1.1.0' },
  predictor: { replicas: { min: 4 }, accelerator: { resource: 'nvidia.com/gpu', count: 2 } },
  rollout: {
    steps: [{ shadow: 50, for: '10m' }, { weight: 1 }, { approval: true }, { weight: 25, for: '30m' }, { weight: 100 }],
    guards: [
      { name: 'errors', errors: { max: '1%' } },
      { name: 'latency', latency: { threshold: '60ms', quantile: 95 } },
    ],
    bake: '1h',
  },
});
const { candidate: _over, ...idle } = shifting.status ?? {};
const serving = { ...shifting, spec, status: { ...idle, replicas: 4, readyReplicas: 4 } } as typeof shifting;
const ready = {
  ...gated,
  metadata: { ...gated.metadata, name: 'flights-1.1.0' },
  spec: { ...gated.spec, version: '1.1.0', artifact: { ...gated.spec.artifact, digest: `sha256:${'b'.repeat(64)}` } },
};
const question = (over: Partial<PlanQuestion> = {}): PlanQuestion => ({
  service: serving,
  modelVersion: {
    ...ready,
    status: { ...ready.status, conditions: ready.status?.conditions?.map((c) => ({ ...c, type: 'Ready' })) ?? [] },
  },
  now: NOON,
  perSecond: 200,
  ...over,
});

/** As one line, wherever it was wrapped. */
const told = (over: Partial<PlanQuestion>): string => planLines(question(over)).join(' ').replace(/\s+/g, ' ');

describe('kubectl slipway plan', () => {
  test('shows each step with what it shows to whom, its pods and its time', () => {
    expect(planLines(question()).join('\n')).toMatchInlineSnapshot(`
      "InferenceService demo/flights
        wants      flights 1.1.0, 1.0.0 serves
        next       PreparingCandidate: flights 1.1.0 is made ready beside 1.0.0.
        rule       start (docs/rollout-rules.md)
        STEP  CANDIDATE GETS        PODS  AT LEAST
        1     copies of 50%         2     10m
        2     1% of requests        1     8m12s
        3     approval by a person  1     -
        4     25% of requests       1     30m
        5     100% of requests      4     5s
        surge      8 nvidia.com/gpu at 100%, beside those of the stable version
        guards     errors, latency
        risk       at most 0.1% to roll a good version back, over all looks
        evidence   984 clean requests of the candidate pass every limit of its own
        time       48m17s at 200 requests/s, bake of 1h not counted, and the time that
                   1 approval takes"
    `);
  });
  test('of a service that follows names the version that it follows, or how one gets there', () => {
    const following = { ...serving, spec: { ...spec, model: { name: 'flights', follow: 'Production' as const } } };
    expect(told({ service: following })).toContain('wants flights 1.1.0, current in Production, 1.0.0 serves');
    const none = told({ service: following, modelVersion: undefined });
    expect(none).toContain('wants flights in Production');
    expect(none).toContain('kubectl slipway promote mv/flights-VERSION --stage=Production puts one there');
  });
  test('waits for a version that nobody made', () => {
    const text = told({ modelVersion: undefined });
    expect(text).toContain('There is no ModelVersion flights-1.1.0 in this namespace.');
    expect(text).not.toContain('STEP');
  });
  test('says that a version that was rolled back is not tried again, and what would', () => {
    const { modelVersion } = question();
    const revision = modelVersion === undefined ? '' : revisionOf(wantedRevision(serving, modelVersion));
    const rejected = (rolledBack.status?.rejected ?? []).map((rejection) => ({ ...rejection, revision }));
    const text = told({
      service: { ...serving, status: { ...serving.status, rejected } as typeof serving.status & {} },
    });
    expect(text).toContain('RejectedVersion');
    expect(text).toContain(`slipway.dev/retry: ${revision}`);
    expect(text).not.toContain('STEP');
  });
  test.each(['Preparing', 'Shifting', 'Baking'])(
    'leaves a rollout that is %s where it is: it sees none of its pods',
    (phase) => {
      const { modelVersion } = question();
      const revision = modelVersion === undefined ? '' : revisionOf(wantedRevision(serving, modelVersion));
      const { status } = shifting;
      const onItsWay = { ...serving, status: { ...status, candidate: { ...status?.candidate, revision, phase } } };
      const text = told({ service: onItsWay as typeof serving });
      expect(text).toContain(`next the rollout of 1.1.0 goes on from step 2 (${phase}). `);
      expect(text).toContain('STEP CANDIDATE GETS');
      expect(text).not.toContain('lost its traffic');
    },
  );
  test('says that another version takes the place of the candidate on its way', () => {
    const onItsWay = { ...serving, status: { ...serving.status, ...shifting.status } };
    expect(told({ service: onItsWay as typeof serving })).toContain('rule replace-candidate');
  });
  test('keeps within 80 columns', () => {
    expect(planLines(question()).every((line) => line.length <= COLUMNS)).toBe(true);
  });
});

describe('the time of a step', () => {
  const [shadow, one, approval, quarter] = spec.rollout.steps;
  const at = (step: typeof shadow, perSecond: number) =>
    step === undefined ? undefined : stepSeconds(spec.rollout, step, perSecond);
  test('is what it must last, or what the evidence takes at that traffic, whichever is longer', () => {
    expect(cleanRequests(spec.rollout)).toBeGreaterThanOrEqual(980);
    expect([at(shadow, 200), at(quarter, 200)]).toEqual([600, 1800]);
    expect(at(one, 200)).toBeCloseTo(cleanRequests(spec.rollout) / 2, 6);
  });
  test("is nobody's to say where a person decides", () => expect(at(approval, 200)).toBeUndefined());
});

describe('a manifest', () => {
  const text = 'apiVersion: slipway.dev/v1alpha1\nkind: InferenceService\nmetadata: {name: flights}\n';
  test('is found among other objects of a file', () => {
    expect(serviceIn(`kind: Namespace\n---\n${text}`, 'a.yaml').metadata.name).toBe('flights');
  });
  test.each([
    ['kind: Namespace', 'a.yaml must hold one InferenceService of slipway.dev, and holds 0.'],
    [`${text}---\n${text}`, 'and holds 2.'],
    ['kind: [', 'a.yaml is no YAML'],
  ])('%j is refused in a sentence', (document, why) => expect(() => serviceIn(document, 'a.yaml')).toThrow(why));
  test.each([
    ['/nowhere/flights.yaml', '/nowhere/flights.yaml is not there: write -f FILE.'],
    ['/', '/ is a folder, and one file is read: write -f FILE.'],
  ])('that can not be read, as %s, is told in a sentence', async (path, why) => {
    const where = { client: {} as Client, namespace: 'demo', signal: new AbortController().signal };
    await expect(serviceOf({ kind: 'file', path }, where)).rejects.toThrow(why);
  });
  test.each([
    [['plan'], 'infs/NAME or -f FILE'],
    [['plan', 'infs/a', '-f', 'x.yaml'], 'infs/NAME or -f FILE'],
    [['plan', 'tj/a'], 'works on an InferenceService'],
    [['plan', 'infs/a', '--rps=fast'], 'write --rps=100'],
  ])('%j is refused with what to write instead', (argv, why) => expect(() => parseCommand(argv)).toThrow(why));
});
