import type { DriftSpec } from '@slipway/crds';
import { labelsOf } from './calibration/error.ts';
import type { Counts } from './counts.ts';

/** A model that tells probabilities may leave out so many of the labels without a word. */
const MOST_UNTOLD = 0.1;

const REMEDY =
  'the model must put out a probability for each class, adding up to 1, or one of two classes, and its pods must be of a runtime that counts them';

/** What late labels can't say of a window, though it is asked for. The sentences hold no number that moves: each would be a write. */
export function labelNotes(
  { accuracy, calibration, minSamples, window }: DriftSpec,
  slots: readonly Counts[],
): readonly string[] {
  const asked = [...(accuracy ? ['accuracy'] : []), ...(calibration ? ['calibration'] : [])];
  if (asked.length === 0) return [];
  const labels = slots.reduce((sum, { labels: { right, wrong } }) => sum + right + wrong, 0);
  const few = minSamples.toLocaleString('en-US');
  const verb = asked.length === 1 ? 'is' : 'are';
  if (labels < minSamples)
    return [`Fewer than ${few} labels in the last ${window}, so ${asked.join(' and ')} ${verb} not judged.`];
  if (calibration === undefined) return [];
  const told = slots.reduce((sum, slot) => sum + labelsOf(slot.calibration), 0);
  if (told >= (1 - MOST_UNTOLD) * labels) return [];
  if (told >= minSamples)
    return [`Some labelled answers told no probability, calibration rests on the others: ${REMEDY}.`];
  const none = told === 0 ? 'No labelled answer' : `Fewer than ${few} labelled answers`;
  return [`${none} told a probability, so calibration is not judged: ${REMEDY}.`];
}
