import { describe, expect, test } from 'vitest';
import { after, candidateAt, carryOut, pods, shifting, specOf } from './builders.ts';
import { plan } from './plan.ts';
import { candidateOf, conditions, preparing, V0, V1 } from './planWorlds.ts';
import type { World } from './world.ts';

const { stepStartedAt: _none, ...candidate } = candidateAt('Preparing', 0);
const lacking = { [V0]: pods(2), [V1]: pods(1) };
const deadline = 600;

/** Two pods are wanted at once, and the candidate has one. */
const short: World = {
  ...preparing,
  spec: specOf({ steps: [{ weight: 50 }, { weight: 100 }] }, 4),
  status: { ...preparing.status, candidate },
  revisions: lacking,
};

const held = (world: World, type: 'Stalled' | 'Paused', reason: string): World => ({
  ...world,
  status: {
    ...world.status,
    conditions: [
      { type, status: 'True', reason, message: '', observedGeneration: 1, lastTransitionTime: candidate.startedAt },
    ],
  },
});

describe('the progress deadline of pods', () => {
  test('begins with the rollout', () => {
    expect(plan({ ...short, now: after(deadline - 61) }).rule).toBe('await-pods');
    expect(plan({ ...short, now: after(deadline - 59) }).rule).toBe('roll-back');
  });

  test.each([
    ['Stalled', 'GuardInvalid'],
    ['Stalled', 'WindowInvalid'],
    ['Stalled', 'WeightNotPossible'],
    ['Stalled', 'PodsNotAsked'],
    ['Paused', 'PausedByPerson'],
  ] as const)('begins anew when what held it is over: %s for %s', (type, reason) => {
    const mended = held({ ...short, now: after(deadline * 3) }, type, reason);
    const first = plan(mended);
    expect([first.rule, conditions(first)['Stalled']]).toEqual(['await-pods', expect.stringMatching(/^False/)]);

    const going = { ...carryOut(mended, first), revisions: lacking };
    const begun = Date.parse(candidateOf(first)?.stepStartedAt ?? '') - mended.now.getTime();
    expect(begun).toBe(0);
    expect(plan({ ...going, now: after(deadline * 4 - 1) }).rule).toBe('await-pods');
    expect(plan({ ...going, now: after(deadline * 4 + 1) }).rule).toBe('roll-back');
  });

  test('does not begin anew for what its pods suffer, however often it is told', () => {
    const told = held({ ...short, now: after(deadline * 3) }, 'Stalled', 'ProgressDeadlineExceeded');
    expect(plan(told).rule).toBe('roll-back');
  });
});

describe('a query that nobody has tried as it is worded now', () => {
  const asking: World['spec']['rollout']['guards'] = [
    { name: 'lost', prometheus: { value: 'up', max: '1', failures: 3, interval: '15s' } },
  ];
  const ready: World = {
    ...preparing,
    spec: specOf({ guards: asking }),
    evidence: shifting.evidence,
    external: { lost: { kind: 'Untried' } },
  };

  test('keeps a candidate from its first users, and says which', () => {
    const waiting = plan(ready);
    expect([waiting.rule, waiting.backends]).toMatchObject(['await-queries', [{ revision: V0, weight: 10_000 }]]);
    expect(waiting.observed.find(({ type }) => type === 'Reconciling')?.message).toContain('the query of guard lost');
    expect(plan({ ...ready, external: {} }).rule).toBe('enter-first-step');
    expect(plan({ ...ready, external: { lost: { kind: 'Invalid', message: 'no' } } }).rule).toBe('hold-for-spec');
  });

  test('keeps none where it is only observed', () => {
    const observed = asking.map((guard) => ({ ...guard, observe: true }));
    expect(plan({ ...ready, spec: specOf({ guards: observed }) }).rule).toBe('enter-first-step');
    expect(plan({ ...ready, spec: specOf({ guards: asking, observe: true }) }).rule).toBe('enter-first-step');
  });
});
