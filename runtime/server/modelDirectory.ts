import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FILES, type Golden, goldenSchema, type Signature, signatureSchema } from '@slipway/crds/contract';
import { Failure } from '../artifact/failure.ts';
import { complaintOf } from '../container/complaint.ts';

/** What a worker needs to serve a model: where it is, what it promises, and requests with the answers they must get. */
export interface ModelFiles {
  readonly path: string;
  /** Undefined when the directory has no signature.json: the model then speaks for itself. */
  readonly signature?: Signature;
  readonly golden: readonly Golden[];
}

/** Reads the model directory. Throws Failure ModelMissing, SignatureInvalid or GoldenMismatch (a line that cannot be read). */
export async function readModelDirectory(directory: string): Promise<ModelFiles> {
  const path = join(directory, FILES.model);
  await access(path).catch(() => {
    throw new Failure('ModelMissing', `The artifact has no ${FILES.model}.`);
  });
  const signature = await readSignature(join(directory, FILES.signature));
  const golden = await readGolden(join(directory, FILES.golden));
  return signature ? { path, signature, golden } : { path, golden };
}

const readOptional = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });

async function readSignature(path: string): Promise<Signature | undefined> {
  const text = await readOptional(path);
  if (text === undefined) return undefined;
  const result = signatureSchema.safeParse(jsonOf(text));
  if (result.success) return result.data;
  throw new Failure('SignatureInvalid', `${FILES.signature} is not a signature: ${complaintOf(result.error)}.`);
}

async function readGolden(path: string): Promise<readonly Golden[]> {
  const lines = ((await readOptional(path)) ?? '').split('\n');
  return lines.flatMap((line, index) => (line.trim() === '' ? [] : [parseGolden(line, index + 1)]));
}

function parseGolden(line: string, number: number): Golden {
  const result = goldenSchema.safeParse(jsonOf(line));
  if (result.success) return result.data;
  throw new Failure(
    'GoldenMismatch',
    `Line ${number} of ${FILES.golden} is not a golden request: ${complaintOf(result.error)}.`,
  );
}

/** Undefined for text that is not JSON: no schema takes that, so one complaint serves both faults. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
