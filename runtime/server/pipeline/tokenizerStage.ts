import { FILES, type Tensor } from '@slipway/crds/contract';
import { Failure } from '../../artifact/failure.ts';
import type { ModelFiles } from '../models/modelFiles.ts';
import { listed } from '../requestError.ts';
import { roomFor, type TensorValue } from '../tensor.ts';
import type { Stage } from './stage.ts';
import { type Encoded, TextEncoder } from './textEncoding.ts';

/** What callers send. */
export const TEXT_INPUT = 'text';
const IDS = 'input_ids';
const FIELDS = [IDS, 'attention_mask', 'token_type_ids'] as const;
type Field = (typeof FIELDS)[number];

/** Where padding stands and what it consists of, from tokenizer.json or its companion. */
interface Padding {
  readonly id: number;
  readonly type: number;
  readonly left: boolean;
}

/**
 * The stage that makes token tensors [rows, tokens] of texts [rows], those of input_ids, attention_mask and
 * token_type_ids that the model has, padded to the longest text of the run, or to the model's own length where that is
 * fixed. Throws Failure ModelInvalid when tokenizer and model do not fit.
 */
export function tokenizerStage(
  { vocabulary, config }: NonNullable<ModelFiles['tokenizer']>,
  inputs: readonly Tensor[],
  truncate: boolean,
): Stage {
  const fields = inputs.filter((input): input is Tensor & { name: Field } =>
    FIELDS.some((name) => name === input.name),
  );
  const ids = checkedIds(fields, inputs);
  const width = ids.shape[1] as number;
  const maxTokens = longest(vocabulary, config, width);
  const encoder = new TextEncoder(vocabulary, config, { maxTokens, truncate });
  const padding = paddingOf(vocabulary, config, encoder);
  const encodeAll = (texts: TensorValue): Encoded[] =>
    (texts.elements as string[]).map((text, i) => encoder.encode(text, `Text ${i + 1} of "${TEXT_INPUT}"`));
  const textOf = (tensors: readonly TensorValue[]) => tensors.find(({ name }) => name === TEXT_INPUT) as TensorValue;
  return {
    file: FILES.tokenizer,
    healthy: true,
    signature: { inputs: [{ name: TEXT_INPUT, datatype: 'BYTES', shape: [ids.shape[0] as number] }], outputs: fields },
    check: (tensors) => void encodeAll(textOf(tensors)),
    run: async (tensors, outputs) => {
      const rows = encodeAll(textOf(tensors));
      const length = width === -1 ? Math.max(1, ...rows.map((row) => row.ids.length)) : width;
      return outputs.map((name) =>
        tensorOf(fields.find((field) => field.name === name) as Tensor, rows, length, padding),
      );
    },
    close: async () => undefined,
  };
}

function checkedIds(fields: readonly Tensor[], inputs: readonly Tensor[]): Tensor {
  const ids = fields.find(({ name }) => name === IDS);
  const names = listed(inputs.map(({ name }) => name));
  if (!ids) throw misfit(`makes "${IDS}", which the model does not take; it takes ${names}`);
  for (const { name, datatype, shape } of fields) {
    if ((datatype === 'INT64' || datatype === 'INT32') && shape.length === 2) continue;
    throw misfit(`makes whole numbers [rows, tokens], and the model takes "${name}" as ${datatype}[${shape}]`);
  }
  return ids;
}

const misfit = (what: string): Failure => new Failure('ModelInvalid', `${FILES.tokenizer} ${what}.`);

/** Members of the two JSON files that matter here; both formats hold many more. */
interface Members {
  readonly truncation?: { readonly max_length?: unknown } | null;
  readonly padding?: { readonly pad_id?: unknown; readonly pad_type_id?: unknown; readonly direction?: unknown } | null;
  readonly model_max_length?: unknown;
  readonly pad_token?: unknown;
  readonly padding_side?: unknown;
}

/** The smallest limit that anybody names. transformers writes 1e30 for "none". */
function longest(vocabulary: Members, config: Members, width: number): number | undefined {
  const named = [vocabulary.truncation?.max_length, config.model_max_length, width].filter(
    (limit): limit is number => typeof limit === 'number' && limit > 0 && limit < 1e9,
  );
  return named.length === 0 ? undefined : Math.min(...named);
}

function paddingOf({ padding }: Members, config: Members, encoder: TextEncoder): Padding {
  const { pad_token: token } = config;
  const text = typeof token === 'object' && token !== null && 'content' in token ? token.content : token;
  const named = typeof text === 'string' ? encoder.idOf(text) : undefined;
  const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
  return {
    id: number(padding?.pad_id) ?? named ?? 0,
    type: number(padding?.pad_type_id) ?? 0,
    left: padding?.direction === 'Left' || config.padding_side === 'left',
  };
}

function tensorOf({ name, datatype }: Tensor, rows: readonly Encoded[], length: number, padding: Padding): TensorValue {
  const elements = roomFor(datatype, rows.length * length) as BigInt64Array | Int32Array;
  const cast = datatype === 'INT64' ? BigInt : Number;
  const pad = name === IDS ? padding.id : name === 'token_type_ids' ? padding.type : 0;
  elements.fill(cast(pad) as never);
  rows.forEach((row, r) => {
    const start = r * length + (padding.left ? length - row.ids.length : 0);
    row.ids.forEach((id, t) => {
      const value = name === IDS ? id : name === 'token_type_ids' ? (row.types[t] ?? 0) : 1;
      elements[start + t] = cast(value) as never;
    });
  });
  return { name, datatype, shape: [rows.length, length], elements };
}
