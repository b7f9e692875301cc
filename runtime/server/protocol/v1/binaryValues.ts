import { isUtf8 } from 'node:buffer';
import type { Tensor } from '@slipway/crds/contract';
import { isObject } from '../inferPlan.ts';
import { refusal } from '../tensorHeader.ts';

/** Of the standard alphabet or the one for URLs, padded or not. */
const BASE64 = /^[\w+/-]*={0,2}$/;

/**
 * Whether a value is one that V1 spells {"b64": "<base64>"}
 * (https://www.tensorflow.org/tfx/serving/api_rest#encoding_binary_values).
 */
export const isBinaryValue = (value: unknown): value is { readonly b64: string } =>
  isObject(value) && typeof value['b64'] === 'string' && Object.keys(value).length === 1;

/**
 * The nested lists of a BYTES input with each {"b64": …} replaced by the text that it spells; those of other inputs as
 * they are. Throws RequestError 400: no base64, or bytes that are no text, which ONNX has no element for.
 */
export function withTexts(values: unknown, declared: Tensor): unknown {
  if (declared.datatype !== 'BYTES') return values;
  const read = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.some(mayHold) ? value.map(read) : value;
    return isBinaryValue(value) ? textOf(value.b64, declared) : value;
  };
  return read(values);
}

const mayHold = (value: unknown): boolean => typeof value === 'object' && value !== null;

function textOf(base64: string, { name }: Tensor): string {
  if (!BASE64.test(base64) || base64.replace(/=+$/, '').length % 4 === 1) {
    throw refusal(name, `{"b64": …} holds something else than base64.`);
  }
  const bytes = Buffer.from(base64, 'base64');
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw refusal(name, 'what {"b64": …} holds is not UTF-8, BYTES takes text; send other bytes to an input of UINT8.');
}
