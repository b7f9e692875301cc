import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AT } from '../../../test/trainingBuilders.ts';
import { approval, facts } from './builders.ts';
import type { Facts } from './facts.ts';
import { type Circumstances, standing } from './standing.ts';

const NOTHING: Circumstances = { current: undefined, since: AT, verifying: undefined, leaving: undefined };
const seen = (given: Facts, circumstances: Partial<Circumstances> = {}) => {
  const observed = standing(given, { ...NOTHING, ...circumstances });
  const text = Object.fromEntries(observed.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
  const told = Object.fromEntries(observed.map(({ type, message }) => [type, message]));
  return { text, told };
};
const inProduction = { reached: 'Production' } as const;

describe('Ready', () => {
  test('waits for the approval that the stage asks for, and says the command', () => {
    const { text, told } = seen(facts({ approval: 'Required' }));
    expect(text).toMatchObject({
      Ready: 'False AwaitingApproval',
      Reconciling: 'True AwaitingApproval',
      Stalled: 'False AwaitingApproval',
      Approved: 'False AwaitingApproval',
      StageReached: 'False AwaitingApproval',
    });
    expect(told['StageReached']).toMatch(
      /^Candidate, not Production yet\. .*kubectl slipway approve mv\/flights-1\.0\.0/,
    );
  });

  test('needs no approval of a Candidate', () => {
    const { text } = seen(facts({ approval: 'TwoPeople', asked: 'Candidate' }));
    expect(text).toMatchObject({ Ready: 'True Ready', Approved: 'True NoneNeeded', StageReached: 'True Reached' });
  });

  test('stays while a version in Staging asks for Production: it was approved for what it does', () => {
    const { text } = seen(facts({ approval: 'Required', reached: 'Staging' }));
    expect(text).toMatchObject({
      Ready: 'True Ready',
      Reconciling: 'True AwaitingApproval',
      Approved: 'False AwaitingApproval',
    });
  });

  test('stays where files that were verified are looked at again', () => {
    const verifying = { reason: 'Verifying', message: 'Asked to verify again.' };
    const { text } = seen(facts({ ...inProduction }), { current: 'flights-1.0.0', verifying });
    expect(text).toMatchObject({ Ready: 'True Ready', Reconciling: 'True Verifying', Stalled: 'False Verifying' });
  });

  test('goes with the files', () => {
    const leaving = { reason: 'FilesDeleted', message: 'gone', final: true };
    const { text } = seen(facts({ asked: 'Archived', reached: 'Archived', deletedAt: AT }), { leaving });
    expect(text).toMatchObject({
      Ready: 'False FilesDeleted',
      Stalled: 'True FilesDeleted',
      StageReached: 'True Archived',
    });
  });
});

describe('in Production', () => {
  test('says whether services that follow serve it', () => {
    expect(seen(facts(inProduction), { current: 'flights-1.0.0' }).told['StageReached']).toBe(
      `In Production since ${AT}: services with follow: Production serve it.`,
    );
    expect(seen(facts(inProduction), { current: 'flights-1.1.0' }).told['StageReached']).toBe(
      `In Production since ${AT}: flights-1.1.0 came there later, and is what services with follow: Production serve (kubectl slipway promote mv/flights-1.1.0 --stage=Staging takes it out).`,
    );
  });

  test('a current version that services rolled back says so, and keeps its place: whoever put it there takes it out', () => {
    const { text, told } = seen(facts({ ...inProduction, rejectedBy: ['api'] }), { current: 'flights-1.0.0' });
    expect(text['StageReached']).toBe('True RolledBack');
    expect(told['StageReached']).toContain('It was rolled back by infs/api.');
  });
});

test('a version that was rolled back does not get into Production, though it may serve', () => {
  const { text } = seen(facts({ rejectedBy: ['api'] }));
  expect(text).toMatchObject({ Ready: 'True Ready', Stalled: 'True RolledBack', StageReached: 'False RolledBack' });
});

test('an archived version says who still serves it', () => {
  const { text, told } = seen(facts({ asked: 'Archived', reached: 'Archived', servedBy: ['api', 'web'] }));
  expect(text).toMatchObject({ Ready: 'True Archived', StageReached: 'True StillServed' });
  expect(told['StageReached']).toBe('No new rollout to it starts; it is still served by infs/api, infs/web.');
});

test('who approved is told once enough have', () => {
  const approvals = [approval('alice'), approval('bob')];
  const { told } = seen(facts({ ...inProduction, approval: 'TwoPeople', approvals }));
  expect(told['Approved']).toBe('alice and bob approved Production.');
});

test('it is never said to be on its way and stuck at once, and Ready only where files and gates are in order', () => {
  const outcome = (type: string) =>
    fc.constantFrom('True' as const, 'False' as const, 'Unknown' as const).map((status) => ({
      type,
      status,
      reason: 'R',
      message: 'm',
    }));
  const stages = ['Candidate', 'Staging', 'Production', 'Archived'] as const;
  const world = fc.record({
    asked: fc.constantFrom(...stages),
    reached: fc.constantFrom(undefined, ...stages),
    approval: fc.constantFrom(undefined, 'Required' as const),
    verified: outcome('Verified'),
    gates: outcome('GatesPassed'),
    rejectedBy: fc.constantFrom([], ['api']),
  });
  fc.assert(
    fc.property(world, fc.boolean(), (given, busy) => {
      const verifying = busy ? { reason: 'Verifying', message: '' } : undefined;
      const { text } = seen(facts(given), { verifying });
      expect([text['Reconciling'], text['Stalled']].filter((t) => t?.startsWith('True')).length).toBeLessThan(2);
      if (text['Ready']?.startsWith('True')) {
        expect([given.verified.status, given.gates.status]).toEqual(['True', 'True']);
      } else {
        expect(`${text['Reconciling']} ${text['Stalled']}`).toContain('True');
      }
    }),
    { numRuns: 1000 },
  );
});
