import { describe, expect, test } from 'vitest';
import { serving, shifting, specOf, targetOf } from './builders.ts';
import { plan } from './plan.ts';
import { conditions, failing, passing } from './planWorlds.ts';
import type { World } from './world.ts';

const errors: World['spec']['rollout']['guards'] = [{ name: 'errors', errors: { max: '1%' } }];
const message = (world: World, type: string) => plan(world).observed.find((o) => o.type === type)?.message;

describe('an operator that reads a Prometheus and asks no pod', () => {
  const unasked: World = { ...serving, target: targetOf(1), podsAreAsked: false };
  const shift = { name: 'scores', predictionShift: { psi: '0.2' } };
  const sticky = { ...specOf(), traffic: { ...specOf().traffic, sessionKey: { header: 'x-user-id' } } };

  test.each([
    [
      'a shadow step',
      specOf({ steps: [{ weight: 5 }, { shadow: 50 }, { weight: 100 }] }),
      /^Step 2 of rollout\.steps .*leave the step out/,
    ],
    ['a second opinion', specOf({ secondOpinion: 'OnSuspicion' }), /^rollout\.secondOpinion: OnSuspicion .*remove it/],
    ['sessionKey', sticky, /^traffic\.sessionKey .*remove it/],
    ['a guard on predictions', specOf({ guards: [shift] }), /^Guard scores \(predictionShift\) .*remove it/],
  ] as const)(
    'says that nobody will do %s, and what to write instead; nothing moves but the way back',
    (_, spec, said) => {
      const wanted = { ...unasked, spec };
      expect([plan(wanted).rule, plan({ ...wanted, podsAreAsked: true }).rule]).toEqual(['do-not-start', 'start']);
      expect(conditions(plan(wanted))).toMatchObject({ Stalled: 'True PodsNotAsked', Ready: 'True Serving' });
      expect(message(wanted, 'Stalled')).toMatch(said);
      expect(message(wanted, 'Stalled')).toContain('SLIPWAY_EVIDENCE=pods');
      const live = { ...shifting, ...passing, spec, podsAreAsked: false };
      expect(plan(live)).toMatchObject({ rule: 'hold-for-spec', backends: [{ weight: 9500 }, { weight: 500 }] });
      const faulty = { ...live, spec: { ...spec, rollout: { ...spec.rollout, guards: errors } }, ...failing };
      expect(plan(faulty).rule).toBe('roll-back');
    },
  );

  test('takes what needs no pod, and what is only observed', () => {
    expect(plan(unasked).rule).toBe('start');
    expect(plan({ ...unasked, spec: specOf({ guards: [{ ...shift, observe: true }] }) }).rule).toBe('start');
    expect(plan({ ...unasked, spec: specOf({ guards: [shift], observe: true }) }).rule).toBe('start');
  });
});
