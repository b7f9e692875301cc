import { join } from 'node:path';
import {
  type Baseline,
  baselineSchema,
  FILES,
  type Signature,
  type Summarised,
  type Tensor,
} from '@slipway/crds/contract';
import { Failure } from '../../artifact/failure.ts';
import { jsonOf } from '../../artifact/json.ts';
import { readOptionalText } from '../../artifact/optionalText.ts';
import { complaintOf } from '../../container/complaint.ts';
import { isScalar } from './distribution/distribution.ts';
import { asHeld } from './distribution/numbers.ts';

/** Bins of all features and predictions together: what keeps the evidence document within what its readers take. */
const MOST_BINS = 65_536;

/**
 * Reads baseline.json of a model directory; undefined when there is none. Throws Failure OutputInvalid with one
 * sentence when it is no baseline, or speaks of tensors that the signature does not have.
 */
export async function readBaseline(directory: string, signature: Signature): Promise<Baseline | undefined> {
  const text = await readOptionalText(join(directory, FILES.baseline));
  if (text === undefined) return undefined;
  const baseline = baselineSchema.safeParse(jsonOf(text));
  if (!baseline.success) {
    throw new Failure('OutputInvalid', `${FILES.baseline} is not a baseline: ${complaintOf(baseline.error)}.`);
  }
  const fault = misfit(baseline.data, signature);
  if (fault !== undefined) throw new Failure('OutputInvalid', `${FILES.baseline}: ${fault}.`);
  return baseline.data;
}

/** What keeps a baseline from being held against tensors of the signature, without the full stop; undefined if it can be. */
export function misfit({ features, predictions }: Baseline, { inputs, outputs }: Signature): string | undefined {
  const bins = [...features, ...predictions].reduce((sum, summary) => sum + binsOf(summary), 0);
  if (bins > MOST_BINS) return `there are ${bins} bins, at most ${MOST_BINS} can be counted`;
  return firstMisfit('feature', features, 'input', inputs) ?? firstMisfit('prediction', predictions, 'output', outputs);
}

const binsOf = (summary: Summarised): number =>
  summary.kind === 'numeric' ? summary.bins.counts.length : summary.categories.length + 1;

function firstMisfit(
  what: string,
  summaries: readonly Summarised[],
  side: string,
  tensors: readonly Tensor[],
): string | undefined {
  const names = new Set<string>();
  for (const summary of summaries) {
    if (names.has(summary.name)) return `${what} "${summary.name}" is there twice`;
    names.add(summary.name);
    const tensor = tensors.find(({ name }) => name === summary.tensor);
    if (!tensor) return `${what} "${summary.name}" lies in "${summary.tensor}", which is no ${side} of the model`;
    const fault = misplaced(summary, tensor) ?? misread(summary, tensor);
    if (fault !== undefined) return `${what} "${summary.name}" ${fault}`;
  }
  return undefined;
}

function misplaced({ index }: Summarised, { name, shape }: Tensor): string | undefined {
  const entries = isScalar(shape) ? 1 : (shape.at(-1) ?? 1);
  if (entries === -1 || index < entries) return undefined;
  return `is entry ${index} of "${name}", which has ${entries} (the first is 0)`;
}

function misread(summary: Summarised, { name, datatype }: Tensor): string | undefined {
  if (summary.kind === 'numeric') {
    if (datatype === 'BYTES') return `is numeric, but "${name}" holds text`;
    return summary.min > summary.max ? 'has a min above its max' : undefined;
  }
  const values = summary.categories.map(({ value }) => value);
  const text = values.find((value) => typeof value === 'string');
  if (datatype !== 'BYTES' && text !== undefined) return `lists the category "${text}", but "${name}" holds numbers`;
  const asTheTensorHolds = values.map((value) =>
    datatype === 'BYTES' ? String(value) : asHeld(datatype, Number(value)),
  );
  const twice = values.find((_, i) => asTheTensorHolds.indexOf(asTheTensorHolds[i] as string | number) !== i);
  return twice === undefined ? undefined : `lists the category ${JSON.stringify(twice)} twice`;
}
