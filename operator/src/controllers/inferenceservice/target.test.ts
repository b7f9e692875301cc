import { API_VERSION } from '@slipway/crds/contract';
import { expect, test } from 'vitest';
import type { InferenceService, ModelVersion } from '../../api/kinds.ts';
import { registered } from '../../domain/registry/builders.ts';
import { revisionOf } from '../../domain/revision.ts';
import { previousOf, targetOf, wantedRevision, wantedVersion } from './target.ts';

const infs = {
  apiVersion: API_VERSION,
  kind: 'InferenceService',
  metadata: { name: 'flights' },
  spec: { model: { name: 'flights', version: '1.1.0' }, predictor: { replicas: { min: 1 } } },
} as InferenceService;

const version = (type: string, status: 'True' | 'False', observedGeneration = 1): ModelVersion => ({
  apiVersion: API_VERSION,
  kind: 'ModelVersion',
  metadata: { name: 'flights-1.1.0', generation: 1 },
  spec: {
    model: 'flights',
    version: '1.1.0',
    artifact: { uri: 'pvc://models/x', digest: `sha256:${'a'.repeat(64)}`, format: 'ONNX' },
  },
  status: {
    conditions: [
      { type, status, observedGeneration, reason: 'R', message: 'gate accuracy failed.', lastTransitionTime: '' },
    ],
  },
});

test.each([
  ['no such ModelVersion', undefined, 'Missing', 'There is no ModelVersion flights-1.1.0 in this namespace.'],
  ['one that is Ready', version('Ready', 'True'), 'Ready', ''],
  [
    'one that was Ready before it changed',
    version('Ready', 'True', 0),
    'Pending',
    'is not Ready: gate accuracy failed.',
  ],
  ['one that is being checked', version('Ready', 'False'), 'Pending', 'is not Ready: gate accuracy failed.'],
  ['one that failed its gates', version('Stalled', 'True'), 'Refused', 'may not serve: gate accuracy failed.'],
] as const)('%s', (_what, modelVersion, state, message) => {
  const target = targetOf(infs, modelVersion);
  expect(target.state).toBe(state);
  expect(target.message).toContain(message);
  expect(target.revision).toEqual(modelVersion === undefined ? undefined : expect.stringMatching(/^[0-9a-f]{10}$/));
});

const DIGEST = `sha256:${'a'.repeat(64)}`;
const before = { version: '1.0.0', digest: DIGEST, revision: 'recorded' };
const ready = version('Ready', 'True');
const recorded = { ...wantedRevision(infs, ready, { version: '1.0.0' }), uri: 'pvc://models/as-it-was' };

test('the way back leads to what ran before, as its objects record it', () => {
  const { target, spec } = previousOf(infs, before, ready, { recorded });
  expect(target).toMatchObject({ version: '1.0.0', digest: DIGEST, state: 'Ready', revision: revisionOf(recorded) });
  expect(spec).toBe(recorded);
});

test('the way back to a version without objects is made of its ModelVersion and the predictor of today', () => {
  const { target, spec } = previousOf(infs, before, ready, {});
  expect(spec?.model).toEqual({ name: 'flights', version: '1.0.0', digest: DIGEST });
  expect(target.revision).toBe(spec && revisionOf(spec));
});

test.each([
  ['is gone', undefined, 'Missing', 'There is no ModelVersion flights-1.0.0 in this namespace.'],
  [
    'was made again with other content',
    { ...ready, spec: { ...ready.spec, artifact: { ...ready.spec.artifact, digest: 'sha256:other' } } },
    'Refused',
    'there is no way back to it',
  ],
] as const)('there is no way back to a version whose ModelVersion %s', (_what, modelVersion, state, message) => {
  const { target, spec } = previousOf(infs, before, modelVersion, {});
  expect(target).toMatchObject({ state, message: expect.stringContaining(message) });
  expect(spec).toBeUndefined();
});

const following = {
  ...infs,
  spec: { ...infs.spec, model: { name: 'flights', follow: 'Production' } },
} as InferenceService;
const versionsOf = (...all: ModelVersion[]) => ({
  named: (wanted: string) => all.find(({ spec }) => spec.version === wanted),
  all: () => all,
});

test('a service that follows serves the version that came to Production last', () => {
  const [old, young] = [
    registered('1.0.0', 'Production', { second: 1 }),
    registered('1.1.0', 'Production', { second: 2 }),
  ];
  expect(wantedVersion(following, versionsOf(old, young))).toBe(young);
  expect(wantedVersion(infs, versionsOf(old, young))?.spec.version).toBe('1.1.0');
});

test('where none is in Production it says how one gets there', () => {
  const staged = versionsOf(registered('1.0.0', 'Staging'));
  expect(targetOf(following, wantedVersion(following, staged))).toEqual({
    name: 'flights',
    version: '',
    state: 'Missing',
    message:
      'No version of flights is in Production: kubectl slipway promote mv/flights-VERSION --stage=Production puts one there.',
  });
});

test('naming a version and following it mean the same revision, so that changing from one to the other restarts nothing', () => {
  const only = registered('1.1.0', 'Production');
  expect(revisionOf(wantedRevision(following, only))).toBe(revisionOf(wantedRevision(infs, only)));
});

test('what a pod needs to fetch the files is told beside them, and is no part of what it runs', () => {
  const [claim] = [registered('1.1.0', 'Production', { status: { bytes: 1000 } })];
  const { artifact } = claim.spec;
  const remote = {
    ...artifact,
    uri: 's3://models/x',
    secretRef: { name: 's3' },
    signedBy: { configMapRef: { name: 'keys', key: 'a.pub' } },
  };
  const fetched = wantedRevision(infs, { ...claim, spec: { ...claim.spec, artifact: remote } });
  expect(fetched).toMatchObject({ secret: 's3', signedBy: { name: 'keys', key: 'a.pub' }, bytes: 1000 });
  const read = wantedRevision(infs, claim);
  expect(Object.keys(read).sort()).toEqual(['model', 'predictor', 'uri']);
  expect(revisionOf(fetched)).toBe(revisionOf(read));
});

const archive = { ...registered('1.1.0', 'Archived'), status: { ...ready.status, stage: 'Archived' } } as ModelVersion;
const stable = { version: '1.1.0', digest: archive.spec.artifact.digest, revision: 'r' };

test('no new rollout to an archived version starts, though it is sound', () => {
  expect(targetOf(infs, archive)).toMatchObject({
    state: 'Refused',
    message: expect.stringContaining('kubectl slipway promote mv/flights-1.1.0 --stage=Candidate takes it out'),
  });
});

test('an archived version that serves goes on, and is a way back for whoever served it before', () => {
  expect(targetOf({ ...infs, status: { stable } }, archive).state).toBe('Ready');
  expect(previousOf(infs, stable, archive, {}).target.state).toBe('Ready');
});
