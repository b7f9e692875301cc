import type { Parameters } from '../parameters.ts';
import type { DatasetDescription } from './baseline.ts';
import { DELAYED_AFTER_MINUTES } from './table.ts';
import type { Trained } from './train.ts';

/** The model card: what the model is for, what it was trained on and how well it does, in Markdown. */
export function modelCard(
  trained: Trained,
  metrics: Readonly<Record<string, number>>,
  dataset: DatasetDescription,
  parameters: Parameters,
): string {
  const table = (entries: readonly (readonly [string, unknown])[]) =>
    ['| | |', '|---|---|', ...entries.map(([name, value]) => `| ${name} | ${String(value)} |`)].join('\n');
  return `# Flight delays

Estimates, when an aircraft leaves the gate, the probability that it arrives more than ${DELAYED_AFTER_MINUTES} minutes late.

Trained on ${trained.training.rows.length} US domestic flights of 2001 and measured on ${trained.heldOut.rows.length} others.
A flight counts as predicted late from a probability of ${trained.threshold.toFixed(4)} on, the share of late flights in training.
Weather and the state of the network are not among its inputs, so it ranks flights modestly; it is a sample, not advice.

## Held-out flights
${table(Object.entries(metrics))}

Largest difference between the exported and the trained model: ${trained.largestDifference.toExponential(1)}.

## Parameters
${table(Object.entries(parameters))}

## Data
${dataset.name}, ${dataset.digest}. Source: U.S. Bureau of Transportation Statistics, on-time performance.
`;
}
