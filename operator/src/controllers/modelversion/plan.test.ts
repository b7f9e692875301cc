import type { Condition, ModelVersionStatus } from '@slipway/crds';
import { encodeReport } from '@slipway/crds';
import { expect, test } from 'vitest';
import { AT, after, childJob, DIGEST, modelVersion, OTHER_DIGEST, pod } from '../../../test/trainingBuilders.ts';
import { NO_JOB } from '../jobs/jobWorld.ts';
import { NOTHING_LACKS } from './needs.ts';
import { plan } from './plan.ts';
import { RETRY_MS } from './verification.ts';
import type { Plan, World } from './world.ts';

const GATE = {
  name: 'accuracy',
  verdict: 'Pass' as const,
  value: 0.83,
  low: 0.81,
  high: 0.85,
  limit: 0.8,
  n: 900,
  message: '',
};
const report = (digest = DIGEST, gate: object = GATE) =>
  encodeReport({
    schema: 'slipway.dev/verification/v1',
    digest,
    files: 3,
    bytes: 1000,
    signature: { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }], outputs: [] },
    gates: [gate as typeof GATE],
  }) ?? '';
const named = (reason: 'DigestMismatch' | 'StoreUnavailable') =>
  encodeReport({ schema: 'slipway.dev/termination/v1', reason, message: 'model.onnx differs' }) ?? '';

const world = (rest: Partial<World> = {}, status?: ModelVersionStatus): World => ({
  mv: {
    ...modelVersion(DIGEST, { gates: [{ name: 'accuracy', metric: 'accuracy', min: '0.8' }] }),
    ...(status === undefined ? {} : { status }),
  },
  now: after(10),
  verification: NO_JOB,
  verifier: 'verify-uid',
  removal: NO_JOB,
  needs: NOTHING_LACKS,
  services: [],
  siblings: [],
  others: [],
  ...rest,
});
const verification = (
  end: 'Complete' | 'Failed' | undefined,
  message: string,
  exitCode = end === 'Complete' ? 0 : 1,
) => ({
  job: childJob('verify', end),
  pods: [pod({ container: 'verify', phase: exitCode === 0 ? 'Succeeded' : 'Failed', exitCode, message })],
});
const truth = ({ observed }: Plan, type: string) => {
  const found = observed.find((c) => c.type === type);
  return `${found?.status} ${found?.reason}`;
};
const truths = (p: Plan) =>
  ['Verified', 'GatesPassed', 'Ready', 'Reconciling', 'Stalled'].map((type) => truth(p, type));

test('a new version is verified first, and is not Ready meanwhile', () => {
  const got = plan(world());
  expect(got.actions).toEqual([{ kind: 'StartVerification' }]);
  expect(truth(got, 'Ready')).toBe('False Verifying');
});

test('what its pod would wait for without a word is named, and looked for again', () => {
  const missing = { reason: 'ClaimMissing', message: 'PersistentVolumeClaim models does not exist.' };
  const got = plan(world({ needs: { missing, readOnly: false } }));
  expect(got.actions).toEqual([]);
  expect(truth(got, 'Ready')).toBe('False ClaimMissing');
  expect(got.observed[0]?.message).toContain('PersistentVolumeClaim models');
  expect(got.next.kind).toBe('again');
});

test('verified files and passed gates make it Ready, with signature, size and the numbers of each gate', () => {
  const got = plan(world({ verification: verification('Complete', report()) }));
  expect(truths(got)).toEqual([
    'True DigestVerified',
    'True AllGatesPassed',
    'True Ready',
    'False Ready',
    'False Ready',
  ]);
  expect(got.status).toMatchObject({
    files: 3,
    bytes: 1000,
    signature: { inputs: [{ name: 'x', shape: [-1, 4] }] },
    gates: [{ name: 'accuracy', verdict: 'Pass', value: '0.83', low: '0.81', high: '0.85', limit: '0.8', n: 900 }],
  });
});

test.each([
  ['before the operator made any', undefined],
  ['in place of the one that it made', 'before-uid'],
])('the report of a Job that somebody else made %s is not read, and another verifies', (_, verifier) => {
  const forged = verification('Complete', report());
  const got = plan(world({ verification: forged, verifier }));
  expect(got.actions).toEqual([{ kind: 'DeleteJob', job: forged.job }]);
  expect(truths(got).slice(0, 3)).toEqual(['Unknown Verifying', 'Unknown Verifying', 'False Verifying']);
  expect(got.observed[0]?.message).toContain('Job verify was not made by this operator');
  expect(plan(world({ verifier })).actions).toEqual([{ kind: 'StartVerification' }]);
});

test('a failed gate is verified but never Ready, and says its numbers', () => {
  const got = plan(
    world({ verification: verification('Complete', report(DIGEST, { ...GATE, verdict: 'Fail', high: 0.79 })) }),
  );
  expect(truths(got)).toEqual([
    'True DigestVerified',
    'False GateFailed',
    'False GateFailed',
    'False GateFailed',
    'True GateFailed',
  ]);
  expect(got.observed[0]?.message).toContain('accuracy Fail (0.83, 95 % interval 0.81 to 0.79 against 0.8, n=900)');
});

test('a gate with too few samples is not a pass', () => {
  const got = plan(world({ verification: verification('Complete', report(DIGEST, { ...GATE, verdict: 'NeedMore' })) }));
  expect(truth(got, 'GatesPassed')).toBe('False NeedMoreSamples');
  expect(truth(got, 'Ready')).toBe('False NeedMoreSamples');
});

test('a digest mismatch is final and named', () => {
  const got = plan(world({ verification: verification('Failed', named('DigestMismatch')) }));
  expect(truths(got)).toEqual([
    'False DigestMismatch',
    'Unknown NotVerified',
    'False DigestMismatch',
    'False DigestMismatch',
    'True DigestMismatch',
  ]);
  expect(got.events).toMatchObject([{ type: 'Warning', reason: 'DigestMismatch' }]);
});

test('a report about another digest does not verify this one', () => {
  const got = plan(world({ verification: verification('Complete', report(OTHER_DIGEST)) }));
  expect(truth(got, 'Verified')).toBe('False DigestMismatch');
});

test('a report that can not be read is told as such, and not as a pod that is gone', () => {
  const got = plan(world({ verification: verification('Complete', 'schema v2') }));
  expect(truth(got, 'Ready')).toBe('False VerificationFailed');
  expect(got.observed[0]?.message).toMatch(
    /left no report that this operator can read, but "schema v2"; is its image of the same release\?/,
  );
});

test('a verifier that died for no fault of the artifact rests, then is tried again', () => {
  const failed = verification('Failed', named('StoreUnavailable'));
  const resting = plan(world({ verification: failed }));
  expect(resting.actions).toEqual([]);
  expect(resting.next).toMatchObject({ kind: 'again', afterMs: RETRY_MS - 10_000 });
  expect(truths(resting)).toContain('Unknown StoreUnavailable');
  expect(truth(resting, 'Stalled')).toBe('False StoreUnavailable');
  const again = plan(world({ verification: failed, now: after(RETRY_MS / 1000) }));
  expect(again.actions.map(({ kind }) => kind)).toEqual(['DeleteJob']);
});

test('a report lost with its pod is asked for again', () => {
  const got = plan(world({ verification: { job: childJob('verify', 'Complete'), pods: [] } }));
  expect(got.actions.map(({ kind }) => kind)).toEqual(['DeleteJob']);
});

test('an image that can not be pulled is named', () => {
  const stuck = pod({
    container: 'verify',
    phase: 'Pending',
    waiting: { reason: 'ErrImagePull', message: 'no such image' },
  });
  const got = plan(world({ verification: { job: childJob('verify'), pods: [stuck] } }));
  expect(truth(got, 'Ready')).toBe('False ImagePullFailed');
});

const stored = (type: string, reason: string): Condition => ({
  type,
  status: 'True',
  reason,
  message: '',
  observedGeneration: 1,
  lastTransitionTime: AT,
});
const decided: ModelVersionStatus = {
  conditions: [stored('Verified', 'DigestVerified'), stored('GatesPassed', 'AllGatesPassed')],
  files: 3,
  stage: 'Candidate',
};

test('a verdict stands: nothing is verified twice, and the finished Job is removed', () => {
  const quiet = plan(world({}, decided));
  expect(quiet).toMatchObject({ actions: [], status: { files: 3 }, next: { kind: 'settled' } });
  const lingering = plan(world({ verification: verification('Complete', report(OTHER_DIGEST)) }, decided));
  expect(lingering.actions.map(({ kind }) => kind)).toEqual(['DeleteJob']);
  expect(truths(lingering)).toEqual(truths(quiet));
  expect(truths(quiet).slice(0, 3)).toEqual(['True DigestVerified', 'True AllGatesPassed', 'True Ready']);
});
