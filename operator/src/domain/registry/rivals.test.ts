import type { Gate } from '@slipway/crds';
import { ENV } from '@slipway/crds/contract';
import { describe, expect, test } from 'vitest';
import { AT, childJob } from '../../../test/trainingBuilders.ts';
import type { Job } from '../../api/builtin.ts';
import { digestOf, registered } from './builders.ts';
import { comparedText, rivalsFor, rivalsGiven } from './rivals.ts';

const gates = (...words: string[]): Gate[] =>
  words.map((versus, i) => ({ name: `g${i}`, metric: 'accuracy', versus }) as Gate);
const young = (...words: string[]) =>
  registered('1.4.0', 'Candidate', { spec: { gates: gates(...words), provenance: { parent: 'flights-1.3.0' } } });
const siblings = [registered('1.2.0', 'Archived'), registered('1.3.0', 'Production')];

describe('the versions that gates compare with', () => {
  test('are the one current in Production, the parent and those named; one that is all of it is told once', () => {
    expect(rivalsFor(young('Production', 'Parent', '1.2.0'), siblings)).toEqual({
      kind: 'Known',
      rivals: [
        {
          as: ['Production', 'Parent'],
          name: 'flights-1.3.0',
          version: '1.3.0',
          digest: digestOf('1.3.0'),
          uri: siblings[1]?.spec.artifact.uri,
        },
        expect.objectContaining({ as: ['1.2.0'], version: '1.2.0' }),
      ],
    });
  });

  test('come with the Secret of their store', () => {
    const [found] = [registered('1.3.0', 'Production')];
    const secret = {
      ...found,
      spec: { ...found.spec, artifact: { ...found.spec.artifact, secretRef: { name: 's3' } } },
    };
    expect(rivalsFor(young('Production'), [secret])).toMatchObject({ rivals: [{ secret: 's3' }] });
  });

  test('are none where no gate asks, and none where there is no such version', () => {
    expect(rivalsFor(young(), siblings)).toEqual({ kind: 'Known', rivals: [] });
    expect(rivalsFor(young('Production', '9.9.9'), [])).toEqual({ kind: 'Known', rivals: [] });
  });

  test('are none where their files are gone, or were found to be others', () => {
    const gone = registered('1.2.0', 'Archived', { status: { deletedAt: AT } });
    expect(rivalsFor(young('1.2.0'), [gone])).toEqual({ kind: 'Known', rivals: [] });
  });

  test('are waited for while they are verified themselves', () => {
    const unchecked = registered('1.3.0', 'Candidate', { status: { conditions: [] } });
    expect(rivalsFor(young('Parent'), [unchecked])).toEqual({
      kind: 'Pending',
      message: 'Its gates compare it with flights-1.3.0, which is not verified yet.',
    });
  });
});

describe('versions that are compared with each other', () => {
  const unchecked = (version: string, versus: string, verified?: 'True' | 'False') => {
    const condition = { type: 'Verified', status: verified ?? 'Unknown', reason: 'X', message: '' } as never;
    return registered(version, 'Candidate', { spec: { gates: gates(versus) }, status: { conditions: [condition] } });
  };
  const [a, b, c] = [unchecked('1.0.0', '1.1.0'), unchecked('1.1.0', '1.0.0'), unchecked('1.2.0', '1.0.0')];

  test('wait for ever for nobody: each is compared with the other as it is', () => {
    expect(rivalsFor(a, [b])).toMatchObject({ kind: 'Known', rivals: [{ version: '1.1.0' }] });
    expect(rivalsFor(b, [a])).toMatchObject({ kind: 'Known', rivals: [{ version: '1.0.0' }] });
  });

  test('in a ring of three as well, and one outside the ring waits for those in it', () => {
    const ring = [unchecked('2.0.0', '2.1.0'), unchecked('2.1.0', '2.2.0'), unchecked('2.2.0', '2.0.0')] as const;
    for (const one of ring)
      expect(
        rivalsFor(
          one,
          ring.filter((other) => other !== one),
        ).kind,
      ).toBe('Known');
    expect(rivalsFor(c, [a, b])).toMatchObject({ kind: 'Pending', message: expect.stringContaining('flights-1.0.0') });
  });

  test('are not in a ring once one is verified, or is found to be bad', () => {
    expect(rivalsFor(a, [unchecked('1.1.0', '1.0.0', 'False')])).toEqual({ kind: 'Known', rivals: [] });
    const waits = unchecked('1.1.0', '1.2.0');
    expect(rivalsFor(a, [waits, unchecked('1.2.0', '1.0.0', 'True')]).kind).toBe('Pending');
  });
});

test('what a Job was given is what its verdicts are about', () => {
  const known = rivalsFor(young('Production'), siblings);
  const rivals = known.kind === 'Known' ? known.rivals : [];
  const job = (value: string): Job => ({
    ...childJob('verify'),
    spec: { template: { spec: { containers: [{ name: 'verify', env: [{ name: ENV.rivals, value }] }] } } },
  });
  expect(rivalsGiven(job(JSON.stringify(rivals)))).toEqual(rivals);
  expect(rivalsGiven(job('nonsense'))).toEqual([]);
  expect(rivalsGiven(childJob('verify'))).toEqual([]);
});

test('the status says against which version a gate was judged', () => {
  const known = rivalsFor(young('Production', '1.2.0'), siblings);
  expect(comparedText(known.kind === 'Known' ? known.rivals : [])).toBe(' Compared with 1.3.0 (Production) and 1.2.0.');
  expect(comparedText([])).toBe('');
});
