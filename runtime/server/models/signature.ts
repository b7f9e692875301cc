import { FILES, type Signature, type Tensor } from '@slipway/crds/contract';
import { Failure } from '../../artifact/failure.ts';
import { listed } from '../requestError.ts';

/**
 * The signature to serve: what signature.json promises, held against what the model says of itself. A promise may fix
 * a dimension that the model leaves open, never the other way round: a request that fits the signature must fit the
 * model. Inputs stand in the order of the model, which is that of a lease. Throws Failure SignatureInvalid with the
 * first contradiction.
 */
export function agreedSignature(promised: Signature | undefined, model: Signature): Signature {
  if (!promised) return model;
  agree('input', promised.inputs, model.inputs);
  agree('output', promised.outputs, model.outputs);
  const inOrder = model.inputs.map(({ name }) => promised.inputs.find((input) => input.name === name) as Tensor);
  return { inputs: inOrder, outputs: promised.outputs };
}

function agree(side: 'input' | 'output', promised: readonly Tensor[], model: readonly Tensor[]): void {
  const unpromised = model.filter(({ name }) => !promised.some((p) => p.name === name));
  if (side === 'input' && unpromised.length > 0) {
    throw contradiction(`lacks the input ${listed(unpromised.map(({ name }) => name))} of the model`);
  }
  for (const tensor of promised) {
    const actual = model.find(({ name }) => name === tensor.name);
    if (!actual) throw contradiction(`names the ${side} "${tensor.name}", which the model does not have`);
    if (!within(tensor, actual)) {
      throw contradiction(`says ${side} "${tensor.name}" is ${typeOf(tensor)}, the model says ${typeOf(actual)}`);
    }
    agreeColumns(side, tensor);
  }
}

function agreeColumns(side: 'input' | 'output', { name, shape, columns }: Tensor): void {
  if (!columns) return;
  const width = shape.at(-1);
  if (columns.length !== width) {
    throw contradiction(`names ${columns.length} columns of ${side} "${name}", whose last dimension is ${width}`);
  }
  const twice = columns.find((column, index) => columns.indexOf(column) !== index);
  if (twice !== undefined) throw contradiction(`names the column "${twice}" of ${side} "${name}" twice`);
}

const contradiction = (what: string): Failure => new Failure('SignatureInvalid', `${FILES.signature} ${what}.`);

export const typeOf = ({ datatype, shape }: Tensor): string => `${datatype}[${shape}]`;

const within = (promised: Tensor, actual: Tensor): boolean =>
  promised.datatype === actual.datatype &&
  promised.shape.length === actual.shape.length &&
  actual.shape.every((size, i) => size === -1 || size === promised.shape[i]);
