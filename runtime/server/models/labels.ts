import { FILES, type Tensor } from '@slipway/crds/contract';
import { Failure } from '../../artifact/failure.ts';
import { typeOf } from './signature.ts';

/**
 * Holds labels.txt against the outputs: one of them must have as many entries a row as there are names, or leave that
 * open. An output of a single entry says nothing: it may be the number of a class. Throws Failure ModelInvalid.
 */
export function checkLabels(labels: readonly string[] | undefined, outputs: readonly Tensor[]): void {
  if (!labels) return;
  const wide = outputs.filter(({ shape }) => shape.length > 1 && shape.at(-1) !== 1);
  const fits = wide.some(({ shape }) => shape.at(-1) === labels.length || shape.at(-1) === -1);
  if (fits || wide.length === 0) return;
  throw new Failure(
    'ModelInvalid',
    `${FILES.labels} names ${labels.length} classes, and no output has as many entries: ${wide.map(outputOf).join(', ')}.`,
  );
}

const outputOf = (tensor: Tensor): string => `"${tensor.name}" is ${typeOf(tensor)}`;
