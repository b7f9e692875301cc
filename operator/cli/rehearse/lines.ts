import type { InferenceServiceSpec } from '@slipway/crds';
import { percentText } from '../../src/domain/guards/percent.ts';
import { exposureText } from '../plan/stepTable.ts';
import { COLUMNS, field, span, table, wrap } from '../render/text.ts';
import type { Answer, Faults, Rehearsed, WhatIf } from './whatIf.ts';

export const between = ({ median, p90 }: Rehearsed['toPromotion']): string =>
  p90 > median ? `median ${span(median)}, 9 of 10 within ${span(p90)}` : span(median);

export const ends = ({ promoted, rolledBack, held }: Rehearsed): string =>
  `${promoted} promoted, ${rolledBack} rolled back, ${held} held`;

export function stepLines({ steps }: InferenceServiceSpec['rollout'], rehearsed: Rehearsed): string[] {
  const rows = rehearsed.steps.map(({ index, seconds }) => {
    const step = steps[index];
    return [
      step === undefined ? 'bake' : String(index + 1),
      step === undefined ? '100% of requests' : exposureText(step),
      span(seconds),
    ];
  });
  return table([['STEP', 'CANDIDATE GETS', 'TIME'], ...rows], 2);
}

const faultText = (faults: Faults): string =>
  Object.entries(faults)
    .map(([name, share]) => `${name} ${percentText(share as number)}`)
    .join(', ');

function faultLines({ faults, runs, perSecond }: WhatIf, rehearsed: Rehearsed): string[] {
  const { rolledBack, guard, toRollback, served, failed } = rehearsed;
  const by = guard === undefined ? '' : `, by guard ${guard}`;
  return [
    ...wrap(`${runs} rollouts of a candidate with ${faultText(faults)}, ${perSecond} requests/s:`, COLUMNS),
    ...field('ends', `${ends(rehearsed)}${by}`),
    ...(rolledBack === 0
      ? field('note', 'no guard of this policy tells it from a good one')
      : field('found', `${between(toRollback)} after it got ready`)),
    ...field('users', `${served} requests answered by it, ${failed} of them failed (median)`),
  ];
}

/** No guard holds a step that is longer than what is played: its own time does. */
const awaited = (guard: string | undefined, mostSeconds: number): string =>
  guard === undefined ? `time: steps last longer than ${span(mostSeconds)}, see --most` : `guard ${guard}`;

/** What a policy does to a good candidate and to a faulty one, by the code that judges real ones. */
export function rehearsalLines(question: WhatIf, { sound, faulty }: Answer): string[] {
  const { rollout, runs, perSecond } = question;
  const promised = percentText(1 - Number(rollout.confidence.fail));
  return [
    ...wrap(`${runs} rollouts of a candidate as good as the stable version, ${perSecond} requests/s:`, COLUMNS),
    ...field('ends', `${ends(sound)}; at most ${promised} are promised to be rolled back`),
    ...(sound.promoted === 0
      ? field('waits for', awaited(sound.guard, question.mostSeconds))
      : field('takes', between(sound.toPromotion))),
    ...stepLines(rollout, sound),
    ...(faulty === undefined ? [] : ['', ...faultLines(question, faulty)]),
    ...(sound.leftOut.length === 0
      ? []
      : field('left out', `${sound.leftOut.join(', ')}: what they ask lies outside of the traffic; taken as passing`)),
  ];
}
