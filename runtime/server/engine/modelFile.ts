import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Failure } from '../../artifact/failure.ts';

/** A protobuf message, which a model file is, can't be larger. */
const MOST_BYTES = 2 ** 31 - 1;

/** Refuses, before anything reads it, a file that can't be a model. Throws Failure ModelInvalid. */
export async function checkModelFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  const refuse = (why: string) => {
    throw new Failure('ModelInvalid', `${basename(path)} cannot be loaded: ${why}.`);
  };
  if (!found?.isFile()) refuse('there is no such file');
  else if (found.size > MOST_BYTES) {
    refuse('a model file cannot be larger than 2 GiB; export it with its weights in a file beside it (external data)');
  }
}
