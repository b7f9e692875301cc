import { writeFile } from 'node:fs/promises';
import { TERMINATION_MESSAGE_BYTES } from '@slipway/crds';
import { TERMINATION_SCHEMA, type TerminationReason, terminationSchema } from '@slipway/crds/contract';

/** Where the kubelet reads the last words of a container, unless the pod says otherwise. */
export const TERMINATION_LOG = '/dev/termination-log';

/**
 * A cause of death that a person can act on: `reason` becomes a condition reason unchanged, `message` its sentence.
 * Any other error that ends a container is a bug of ours and keeps its stack.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly reason: TerminationReason;
  constructor(reason: TerminationReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** The message of anything thrown, on one line: a status shows sentences, not stacks. */
export const sentenceOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim();

const LONGEST_MESSAGE = 2048;

/**
 * The document, its message cut until the kubelet keeps all of it: it counts bytes, and half a document names no cause.
 * Quotes take two, letters of most alphabets two or three.
 */
function terminationText({ reason, message }: Failure): string {
  const textOf = (length: number): string => {
    const cut = message.slice(0, length).toWellFormed();
    return JSON.stringify(terminationSchema.parse({ schema: TERMINATION_SCHEMA, reason, message: cut }));
  };
  let length = Math.min(LONGEST_MESSAGE, message.length);
  while (Buffer.byteLength(textOf(length)) > TERMINATION_MESSAGE_BYTES) length = Math.floor(length * 0.9);
  return textOf(length);
}

/**
 * Writes the termination message document. Outside a container the path does not exist and cannot be made; the caller
 * has logged the failure already, so that is not an error: hiding the cause behind EACCES would be.
 */
export async function writeTermination(path: string, failure: Failure): Promise<void> {
  await writeFile(path, terminationText(failure)).catch(() => undefined);
}
