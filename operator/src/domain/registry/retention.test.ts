import type { Stage } from '@slipway/crds';
import { digestDirectory, STAGES } from '@slipway/crds';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AT } from '../../../test/trainingBuilders.ts';
import type { InferenceService, ModelVersion } from '../../api/kinds.ts';
import { digestOf, registered, service } from './builders.ts';
import { currentOf } from './current.ts';
import { keptBecause, type Shelf } from './retention.ts';

const retention = { newest: 2 };
const old = registered('1.0.0', 'Archived', { spec: { retention } });
const [second, third] = [registered('1.1.0', 'Candidate'), registered('1.2.0', 'Candidate')];
const shelf = (changes: Partial<Shelf> = {}): Shelf => ({
  version: old,
  siblings: [second, third],
  others: [second, third],
  services: [],
  ...changes,
});
const oldWith = (changes: Partial<ModelVersion['spec']>, status: object = {}): ModelVersion => ({
  ...old,
  spec: { ...old.spec, ...changes },
  status: { ...old.status, ...status },
});
const at = (uri: string): ModelVersion => oldWith({ artifact: { ...old.spec.artifact, uri } });
const version = (text: string) => ({ version: text, digest: digestOf(text), revision: 'r' });
const candidate = { ...version('1.0.0'), phase: 'RolledBack' as const, step: 0, startedAt: AT, weight: 0 };

test('a manifest of a registry is named by its own digest, and is published all the same', () => {
  expect(keptBecause(shelf({ version: at('oci://registry/flights@sha256:cafe') }))).toBeUndefined();
});

test('the files of an archived version go when enough newer ones have theirs and nobody needs them', () => {
  expect(keptBecause(shelf())).toBeUndefined();
  expect(keptBecause(shelf({ version: registered('1.0.0', 'Candidate', { spec: { retention } }) }))).toBeUndefined();
});

describe('files stay', () => {
  const bad = registered('1.2.0', 'Candidate', { status: { conditions: [] } });
  const emptied = registered('1.2.0', 'Archived', { status: { deletedAt: AT } });
  const unchecked = (spec: object) => registered('1.9.0', 'Candidate', { spec, status: { conditions: [] } });
  const { retention: _none, ...unbounded } = old.spec;
  test.each<[string, Partial<Shelf>, string]>([
    ['where no retention is asked for', { version: { ...old, spec: unbounded } }, 'spec.retention is not set'],
    ['where they were never verified', { version: oldWith({}, { conditions: [] }) }, 'not verified'],
    ['that somebody put elsewhere', { version: at('pvc://models/flights/mine') }, 'did not publish'],
    [
      'that can only be read',
      { version: at(`https://example.com/${digestDirectory(old.spec.artifact.digest)}`) },
      'did not publish',
    ],
    ['while there are not enough newer versions', { siblings: [second] }, 'newest 2'],
    ['where a newer version is not verified: it may have no files', { siblings: [second, bad] }, 'newest 2'],
    ['where a newer version has none any more', { siblings: [second, emptied] }, 'newest 2'],
    ['of a version that a service names', { services: [service({}, { version: '1.0.0' })] }, 'infs/api uses it'],
    ['of the stable version', { services: [service({ stable: version('1.0.0') })] }, 'infs/api uses it'],
    ['of the version to go back to', { services: [service({ previous: version('1.0.0') })] }, 'infs/api uses it'],
    ['of a candidate, even one that was rolled back', { services: [service({ candidate })] }, 'infs/api uses it'],
    ['of a version that was stable once', { version: oldWith({}, { everServed: true }) }, 'stable in a service once'],
    ['of a version in Staging', { version: oldWith({}, { stage: 'Staging' }) }, 'stage is Staging'],
    [
      'of a version that is asked to be in Production',
      { version: oldWith({ stage: 'Production' }) },
      'asked: Production',
    ],
    [
      'where another version has the same files',
      {
        others: [
          {
            ...second,
            spec: { ...second.spec, artifact: { ...second.spec.artifact, uri: `${old.spec.artifact.uri}/` } },
          },
        ],
      },
      'flights-1.1.0 has the same files',
    ],
    [
      'where the files of another lie within',
      {
        others: [
          {
            ...second,
            spec: { ...second.spec, artifact: { ...second.spec.artifact, uri: `${old.spec.artifact.uri}/v2` } },
          },
        ],
      },
      'flights-1.1.0 has the same files',
    ],
    [
      'while a retrained version is still to be compared with it',
      { siblings: [second, third, unchecked({ provenance: { parent: 'flights-1.0.0' } })] },
      'flights-1.9.0 is to be compared with it',
    ],
    [
      'while a gate names it',
      { siblings: [second, third, unchecked({ gates: [{ name: 'g', metric: 'accuracy', versus: '1.0.0' }] })] },
      'flights-1.9.0 is to be compared with it',
    ],
  ])('%s', (_, changes, why) => expect(keptBecause(shelf(changes))).toContain(why));

  test('but not for a claim of that name in another namespace', () => {
    const elsewhere = { ...old, metadata: { ...old.metadata, namespace: 'other', uid: 'x' } };
    expect(keptBecause(shelf({ others: [elsewhere] }))).toBeUndefined();
  });
});

interface Drawn {
  readonly stages: readonly { stage: Stage; asked: Stage; everServed: boolean; second: number; deleted: boolean }[];
  readonly newest: number;
  readonly used: readonly { role: 'stable' | 'candidate' | 'previous' | 'named'; of: number }[];
}
const drawn: fc.Arbitrary<Drawn> = fc.record({
  stages: fc.array(
    fc.record({
      stage: fc.constantFrom(...STAGES),
      asked: fc.constantFrom(...STAGES),
      everServed: fc.boolean(),
      second: fc.nat(100),
      deleted: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  ),
  newest: fc.integer({ min: 1, max: 4 }),
  used: fc.array(fc.record({ role: fc.constantFrom('stable', 'candidate', 'previous', 'named'), of: fc.nat(7) }), {
    maxLength: 3,
  }),
});

function worldOf({ stages, newest, used }: Drawn): { versions: ModelVersion[]; services: InferenceService[] } {
  const versions = stages.map(({ stage, asked, everServed, second, deleted }, i) =>
    registered(`1.${i}.0`, stage, {
      second,
      spec: { stage: asked, retention: { newest } },
      status: { ...(everServed ? { everServed } : {}), ...(deleted ? { deletedAt: AT } : {}) },
    }),
  );
  const services = used.map(({ role, of }) => {
    const named = version(`1.${of}.0`);
    if (role === 'named') return service({}, { version: named.version });
    return service({ [role]: role === 'candidate' ? { ...candidate, ...named } : named });
  });
  return { versions, services };
}

test('retention never takes what serves, ever served, is current, or is one of the newest with files', () => {
  let taken = 0;
  fc.assert(
    fc.property(drawn, (given) => {
      const { versions, services } = worldOf(given);
      const current = currentOf(versions);
      const withFiles = versions.filter(({ status }) => status?.deletedAt === undefined);
      for (const one of withFiles) {
        const others = versions.filter((other) => other !== one);
        if (keptBecause({ version: one, siblings: others, others, services }) !== undefined) continue;
        taken += 1;
        const uses = services.flatMap(({ spec, status }) => [
          spec.model.version,
          status?.stable?.version,
          status?.candidate?.version,
          status?.previous?.version,
        ]);
        expect(uses).not.toContain(one.spec.version);
        expect(one.status?.everServed).not.toBe(true);
        expect(one).not.toBe(current);
        expect(['Candidate', 'Archived']).toContain(one.spec.stage);
        expect(['Candidate', 'Archived']).toContain(one.status?.stage);
        expect(withFiles.slice(-given.newest)).not.toContain(one);
      }
    }),
    { numRuns: 2000 },
  );
  expect(taken).toBeGreaterThan(100);
});
