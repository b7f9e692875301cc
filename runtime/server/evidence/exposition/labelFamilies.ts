import { CALIBRATION_BINS, type Evidence, METRICS } from '@slipway/crds/contract';
import type { Family } from './family.ts';

type Bin = NonNullable<NonNullable<Evidence['labels']>['calibration']>['bins'][number];

/** What came of late labels. */
export const LABEL_FAMILIES: readonly Family[] = [
  {
    name: METRICS.labels,
    type: 'counter',
    help: 'Late labels, by what they said of the answer: right, wrong, unknown (no such answer is remembered).',
    write({ labels, counts }, write) {
      if (counts.labels === undefined) return;
      const { right, wrong, unknown } = counts.labels;
      for (const [result, count] of Object.entries({ right, wrong, unknown }))
        write.sample({ ...labels, result }, count);
    },
  },
  byConfidence(
    METRICS.calibrationAnswers,
    'Labelled answers, by the probability of the predicted class: upper edge.',
    ({ n }) => n,
  ),
  byConfidence(METRICS.calibrationRight, 'Those of them that were right.', ({ right }) => right),
  byConfidence(
    METRICS.calibrationConfidence,
    'Sum over them of the probability of the predicted class.',
    ({ confidence }) => confidence,
  ),
];

function byConfidence(name: string, help: string, value: (bin: Bin) => number): Family {
  return {
    name,
    type: 'counter',
    help,
    write({ labels, counts }, write) {
      for (const [i, bin] of (counts.labels?.calibration?.bins ?? []).entries())
        write.sample({ ...labels, bin: String((i + 1) / CALIBRATION_BINS) }, value(bin));
    },
  };
}
