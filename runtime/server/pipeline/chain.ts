import { FILES, type Signature, type Tensor } from '@slipway/crds/contract';
import { Failure } from '../../artifact/failure.ts';
import { typeOf } from '../models/signature.ts';

/** A link as the plan sees it. */
export interface Link {
  readonly file: string;
  readonly signature: Signature;
}

interface Known {
  readonly tensor: Tensor;
  /** The link that answers it; undefined: the caller sends it. */
  readonly from: Link | undefined;
}

/**
 * What callers send to and get from links that are run one after another, wired by tensor name. An input that no
 * earlier link answers is the caller's to send; an output that no later link takes (or answers anew) is the caller's to
 * get. Throws Failure ModelInvalid for a tensor that two links understand differently, or that goes nowhere.
 */
export function chainSignature(links: readonly Link[]): Signature {
  const sent = new Map<string, Tensor>();
  const known = new Map<string, Known>();
  const open = new Map<string, Known>();
  const model = links.findIndex(({ file }) => file === MODEL_LINK);
  for (const [position, link] of links.entries()) {
    for (const input of link.signature.inputs) {
      const source = known.get(input.name);
      if (source) agree(source, input, link);
      else if (position > model) throw orphan(link, input.name);
      else sent.set(input.name, input);
      if (!source) known.set(input.name, { tensor: input, from: undefined });
      open.delete(input.name);
    }
    for (const tensor of link.signature.outputs) {
      known.set(tensor.name, { tensor, from: link });
      open.set(tensor.name, { tensor, from: link });
    }
  }
  refuseDeadEnds(links.slice(0, model), open);
  return { inputs: [...sent.values()], outputs: [...open.values()].map(({ tensor }) => tensor) };
}

function agree({ tensor, from }: Known, input: Tensor, link: Link): void {
  if (tensor.datatype === input.datatype && compatible(tensor.shape, input.shape)) return;
  const source = from ? `${from.file} answers it as` : 'an earlier part takes it as';
  throw new Failure(
    'ModelInvalid',
    `${link.file} takes "${input.name}" as ${typeOf(input)}, ${source} ${typeOf(tensor)}.`,
  );
}

const orphan = ({ file }: Link, name: string): Failure =>
  new Failure('ModelInvalid', `${file} takes "${name}", which ${MODEL_LINK} does not answer and callers do not send.`);

/** A model whose exporter left the rank out says no dimensions at all; it is believed to know what it does. */
const compatible = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === 0 ||
  b.length === 0 ||
  (a.length === b.length && a.every((size, i) => size === b[i] || size === -1 || b[i] === -1));

/** Callers are to see the answers of the model and what follows it, not what comes before it and nobody takes. */
function refuseDeadEnds(before: readonly Link[], open: ReadonlyMap<string, Known>): void {
  for (const { tensor, from } of open.values()) {
    if (!from || !before.includes(from)) continue;
    throw new Failure('ModelInvalid', `${from.file} answers "${tensor.name}", which ${MODEL_LINK} does not take.`);
  }
}

/** The link that what comes before it prepares for. */
export const MODEL_LINK: string = FILES.model;
