import { expect, test } from 'vitest';
import { counted, driftSpec } from './builders.ts';
import { NO_BINS } from './counts.ts';
import { labelNotes } from './labelNotes.ts';

const BOTH = { accuracy: { min: '75%' }, calibration: { max: '5%' } };
const REMEDY =
  'the model must put out a probability for each class, adding up to 1, or one of two classes, and its pods must be of a runtime that counts them.';

test.each([
  ['nothing about labels', {}, 0, 0, []],
  [
    'both, and no label comes',
    BOTH,
    0,
    0,
    ['Fewer than 200 labels in the last 1h, so accuracy and calibration are not judged.'],
  ],
  [
    'accuracy, and few come',
    { accuracy: BOTH.accuracy },
    150,
    0,
    ['Fewer than 200 labels in the last 1h, so accuracy is not judged.'],
  ],
  ['accuracy, and no answer tells how sure it is', { accuracy: BOTH.accuracy }, 600, 0, []],
  ['both, and all is there', BOTH, 600, 600, []],
  ['both, and one answer in a hundred tells none', BOTH, 600, 594, []],
  [
    'calibration of logits, or of pods of an older runtime',
    BOTH,
    600,
    0,
    [`No labelled answer told a probability, so calibration is not judged: ${REMEDY}`],
  ],
  [
    'calibration, and some pods are older',
    BOTH,
    600,
    300,
    [`Some labelled answers told no probability, calibration rests on the others: ${REMEDY}`],
  ],
  [
    'calibration, and most pods are older',
    BOTH,
    600,
    60,
    [`Fewer than 200 labelled answers told a probability, so calibration is not judged: ${REMEDY}`],
  ],
] as const)('a spec that asks for %s', (_, asked, labels, told, notes) => {
  const slot = counted([], {
    labels: { right: labels / 4, wrong: labels / 4 },
    calibration: NO_BINS.map((none, i) => (i === 9 ? { n: told / 2, right: told / 4, confidence: told / 2 } : none)),
  });
  expect(labelNotes(driftSpec(asked), [slot, slot])).toEqual(notes);
});
