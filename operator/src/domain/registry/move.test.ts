import type { Stage } from '@slipway/crds';
import { STAGES } from '@slipway/crds';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { approval, digestOf, facts } from './builders.ts';
import type { Facts } from './facts.ts';
import { moveOf } from './move.ts';
import { lackingFor, STAGE_RULES } from './rules.ts';

const unverified = {
  type: 'Verified',
  status: 'False',
  reason: 'DigestMismatch',
  message: 'They hash to another.',
} as const;
const failed = {
  type: 'GatesPassed',
  status: 'False',
  reason: 'GateFailed',
  message: 'Gates not passed: accuracy.',
} as const;

describe('a version enters Production', () => {
  test('when its digest is verified, its gates pass and nobody has to approve it', () => {
    expect(moveOf(facts())).toEqual({
      from: 'Candidate',
      to: 'Production',
      reason: 'Promoted',
      message: 'sha256:100000000000 is verified. All 3 gates pass.',
    });
  });

  test('once one person approved, and the history keeps who', () => {
    const move = moveOf(facts({ approval: 'Required', approvals: [approval('alice')] }));
    expect(move).toMatchObject({ to: 'Production', by: 'alice', message: expect.stringContaining('alice approved.') });
  });

  test('once two people approved', () => {
    const approvals = [approval('alice'), approval('bob')];
    const move = moveOf(facts({ approval: 'TwoPeople', approvals }));
    expect(move).toMatchObject({ to: 'Production', by: 'alice, bob' });
  });
});

describe('a version stays where it is, and the first thing it lacks is named with the way to it', () => {
  test.each<[string, Partial<Facts>, string, string]>([
    [
      'kserve#5789: files that are not what they hash to',
      { verified: unverified },
      'DigestMismatch',
      'They hash to another.',
    ],
    ['a gate that fails', { gates: failed }, 'GateFailed', 'Gates not passed: accuracy.'],
    ['files that were deleted', { deletedAt: '2026-01-01T00:00:00Z' }, 'FilesDeleted', 'train it anew'],
    [
      'an approval',
      { approval: 'Required' },
      'AwaitingApproval',
      'flights-1.0.0 needs the approval of a person for Production: kubectl slipway approve mv/flights-1.0.0 --stage=Production',
    ],
    [
      'an approval of these files, not of others',
      { approval: 'Required', approvals: [approval('alice', { digest: digestOf('0.9.0') })] },
      'AwaitingApproval',
      'needs the approval of a person',
    ],
    [
      'an approval of this stage, not of another',
      { approval: 'Required', approvals: [approval('alice', { stage: 'Staging' })] },
      'AwaitingApproval',
      'for Production',
    ],
    [
      'a second person',
      { approval: 'TwoPeople', approvals: [approval('alice')] },
      'AwaitingApproval',
      'needs the approvals of two people for Production and has that of alice; somebody else writes: kubectl slipway approve mv/flights-1.0.0 --stage=Production',
    ],
    [
      'a second person, where the first wrote twice',
      { approval: 'TwoPeople', approvals: [approval('alice'), approval('alice', { at: '2026-01-02T00:00:00Z' })] },
      'AwaitingApproval',
      'has that of alice; somebody else writes',
    ],
    [
      'a rollback that nobody took back',
      { rejectedBy: ['api', 'web'] },
      'RolledBack',
      'flights-1.0.0 was rolled back by infs/api, infs/web: if its cause is mended, kubectl slipway retry infs/api forgets that.',
    ],
  ])('%s', (_, changes, reason, message) => {
    const given = facts(changes);
    expect(moveOf(given)).toBeUndefined();
    expect(lackingFor(given, 'Production')).toEqual({ reason, message: expect.stringContaining(message) });
  });

  test('a rollback does not keep it from Staging, where it is tried', () => {
    expect(moveOf(facts({ asked: 'Staging', rejectedBy: ['api'] }))).toMatchObject({ to: 'Staging' });
  });
});

describe('a version may always', () => {
  const bad = { verified: unverified, gates: failed, approval: 'TwoPeople' } as const;
  test.each<[string, Stage, Stage, string]>([
    ['be archived', 'Production', 'Archived', 'Archived'],
    ['go back to being a Candidate', 'Production', 'Candidate', 'Demoted'],
    ['go back to Staging', 'Production', 'Staging', 'Demoted'],
    ['be taken from the archive as a Candidate', 'Archived', 'Candidate', 'Restored'],
  ])('%s', (_, reached, asked, reason) => {
    expect(moveOf(facts({ ...bad, reached, asked }))).toMatchObject({ from: reached, to: asked, reason });
  });

  test('begin as a Candidate, whatever it asks for', () => {
    expect(moveOf(facts({ reached: undefined }))).toMatchObject({ from: '', to: 'Candidate', reason: 'Registered' });
  });
});

test('from the archive into Production leads only what leads there from anywhere', () => {
  const archived = facts({ reached: 'Archived', approval: 'Required' });
  expect(moveOf(archived)).toBeUndefined();
  expect(moveOf({ ...archived, approvals: [approval('alice')] })).toMatchObject({
    to: 'Production',
    reason: 'Restored',
  });
});

const anyFacts: fc.Arbitrary<Facts> = fc
  .record({
    asked: fc.constantFrom(...STAGES),
    reached: fc.constantFrom(undefined, ...STAGES),
    approval: fc.constantFrom(undefined, 'Required' as const, 'TwoPeople' as const),
    approvals: fc.array(
      fc.record({
        by: fc.constantFrom('alice', 'bob', 'carol'),
        stage: fc.constantFrom('Staging' as const, 'Production' as const),
        digest: fc.constantFrom(digestOf('1.0.0'), digestOf('2.0.0')),
        at: fc.constant('2026-01-01T00:00:00Z'),
      }),
      { maxLength: 5 },
    ),
    verified: fc.boolean(),
    gates: fc.boolean(),
    deletedAt: fc.constantFrom(undefined, '2026-01-01T00:00:00Z'),
    rejectedBy: fc.constantFrom([], ['api']),
  })
  .map(({ verified, gates, ...rest }) =>
    facts({ ...rest, ...(verified ? {} : { verified: unverified }), ...(gates ? {} : { gates: failed }) }),
  );

test('nothing comes up into Staging or Production without digest, gates, and as many people as were asked for', () => {
  const rank = (stage: Stage | undefined) =>
    ['Archived', 'Candidate', 'Staging', 'Production'].indexOf(stage ?? 'Archived');
  fc.assert(
    fc.property(anyFacts, (given) => {
      const move = moveOf(given);
      if (move === undefined || rank(move.to) <= Math.max(1, rank(given.reached))) return;
      const people = new Set(
        given.approvals.filter((a) => a.stage === move.to && a.digest === given.digest).map((a) => a.by),
      );
      expect(given.verified.status).toBe('True');
      expect(given.gates.status).toBe('True');
      expect(given.deletedAt).toBeUndefined();
      expect(people.size).toBeGreaterThanOrEqual({ none: 0, Required: 1, TwoPeople: 2 }[given.approval ?? 'none']);
    }),
    { numRuns: 2000 },
  );
});

test('each rule can be what is lacking', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(anyFacts, (given) => {
      const rule = STAGE_RULES.find(({ lacking }) => lacking(given, 'Production') !== undefined);
      if (rule !== undefined) seen.add(rule.name);
    }),
    { numRuns: 500 },
  );
  expect([...seen].sort()).toEqual(STAGE_RULES.map(({ name }) => name).sort());
});
