import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FILES, type Golden, goldenSchema, type Signature, signatureSchema } from '@slipway/crds/contract';
import { Failure } from '../../artifact/failure.ts';
import { jsonOf } from '../../artifact/json.ts';
import { readOptionalText } from '../../artifact/optionalText.ts';
import { complaintOf } from '../../container/complaint.ts';

/** What a model directory holds, read and checked on its own; what the model says to it comes later. */
export interface ModelFiles {
  /** The model itself. */
  readonly path: string;
  readonly preprocess?: string;
  readonly postprocess?: string;
  /** tokenizer.json, and tokenizer_config.json where it lies beside it, as JSON. */
  readonly tokenizer?: { readonly vocabulary: object; readonly config: object };
  /** Undefined without signature.json: the model then speaks for itself. */
  readonly signature?: Signature;
  /** Class names in the order of the classes. */
  readonly labels?: readonly string[];
  readonly golden: readonly Golden[];
}

/** Optional companion of tokenizer.json in exports of Hugging Face: holds the longest text among other things. */
const TOKENIZER_CONFIG = 'tokenizer_config.json';

/** A bare .onnx file without anything beside it. */
export const bareModel = (path: string): ModelFiles => ({ path, golden: [] });

/** Reads a model directory. Throws Failure ModelMissing, ModelInvalid, SignatureInvalid or GoldenMismatch (a line that can't be read). */
export async function readModelFiles(directory: string): Promise<ModelFiles> {
  const at = (name: string) => join(directory, name);
  const path = at(FILES.model);
  if (!(await isFile(path))) throw new Failure('ModelMissing', `The artifact has no ${FILES.model}.`);
  const files: { -readonly [K in keyof ModelFiles]: ModelFiles[K] } = {
    path,
    golden: await readGolden(at(FILES.golden)),
  };
  if (await isFile(at(FILES.preprocess))) files.preprocess = at(FILES.preprocess);
  if (await isFile(at(FILES.postprocess))) files.postprocess = at(FILES.postprocess);
  const vocabulary = await readObject(directory, FILES.tokenizer);
  if (vocabulary) files.tokenizer = { vocabulary, config: (await readObject(directory, TOKENIZER_CONFIG)) ?? {} };
  const signature = await readSignature(at(FILES.signature));
  if (signature) files.signature = signature;
  const labels = await readOptionalText(at(FILES.labels));
  if (labels !== undefined) files.labels = labelsOf(labels);
  return files;
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

async function readObject(directory: string, name: string): Promise<object | undefined> {
  const text = await readOptionalText(join(directory, name));
  if (text === undefined) return undefined;
  const value = jsonOf(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new Failure('ModelInvalid', `${name} is not a JSON object.`);
}

/** A schema would complain of a value that is missing, where it is a comma that is. */
function jsonIn(text: string, what: string, reason: 'SignatureInvalid' | 'GoldenMismatch'): unknown {
  const value = jsonOf(text);
  if (value === undefined) throw new Failure(reason, `${what} is not JSON, or was cut off; write it again.`);
  return value;
}

async function readSignature(path: string): Promise<Signature | undefined> {
  const text = await readOptionalText(path);
  if (text === undefined) return undefined;
  const result = signatureSchema.safeParse(jsonIn(text, FILES.signature, 'SignatureInvalid'));
  if (result.success) return result.data;
  throw new Failure('SignatureInvalid', `${FILES.signature} is not a signature: ${complaintOf(result.error)}.`);
}

async function readGolden(path: string): Promise<readonly Golden[]> {
  const lines = ((await readOptionalText(path)) ?? '').split('\n');
  return lines.flatMap((line, index) => (line.trim() === '' ? [] : [parseGolden(line, index + 1)]));
}

function parseGolden(line: string, number: number): Golden {
  const result = goldenSchema.safeParse(jsonIn(line, `Line ${number} of ${FILES.golden}`, 'GoldenMismatch'));
  if (result.success) return result.data;
  throw new Failure(
    'GoldenMismatch',
    `Line ${number} of ${FILES.golden} is not a golden request: ${complaintOf(result.error)}.`,
  );
}

/** Names may repeat, as some do in ImageNet; an empty line between them would shift every class after it. */
function labelsOf(text: string): readonly string[] {
  const lines = text.replace(/\s+$/, '').split(/\r?\n/);
  const empty = lines.findIndex((line) => line.trim() === '');
  if (empty < 0) return lines.map((line) => line.trim());
  throw new Failure('ModelInvalid', `Line ${empty + 1} of ${FILES.labels} is empty; write one class name a line.`);
}
