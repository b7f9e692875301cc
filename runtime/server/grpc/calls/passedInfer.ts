import type { RpcAnswer, RpcMetadata, RpcPassage } from '../../sessions/rpcPassage.ts';
import type { RpcContext } from '../dependencies.ts';
import type { RpcHead } from '../head.ts';
import { encodeHeaders } from '../http2/hpack/encode.ts';
import type { HeaderField } from '../http2/hpack/staticTable.ts';
import { PREFIX_BYTES } from '../messageAssembly.ts';
import { readInferRequest } from '../messages/inferRequest.ts';

/** What is done with a call that was passed on. One of them is called, once, later than it was passed on. */
export interface PassedUser {
  answered(answer: RpcAnswer): void;
  /** The way failed: the question, which is to be answered here. */
  failed(message: Buffer): void;
}

/**
 * Passes the question in bytes[start, end) on where its user belongs to the other version. undefined: it is to be answered
 * here. Whoever asks for one version by its number gets it from here or from nobody. Throws what a wrong message throws.
 */
export function passOn(
  { sessions }: RpcContext,
  { path, metadata }: RpcHead,
  bytes: Buffer,
  [start, end]: readonly [number, number],
  user: PassedUser,
): RpcPassage | undefined {
  const order = sessions?.orderFor(metadata);
  if (!sessions || !order || readInferRequest(bytes, start, end).version !== '') return undefined;
  const message = Buffer.allocUnsafe(PREFIX_BYTES + end - start);
  message[0] = 0;
  message.writeUInt32BE(end - start, 1);
  bytes.copy(message, PREFIX_BYTES, start, end);
  return sessions.passOnCall(
    order,
    { path, metadata, message },
    {
      answered: (answer) => user.answered(answer),
      failed: () => user.failed(message.subarray(PREFIX_BYTES)),
    },
  );
}

const fieldsOf = (metadata: RpcMetadata): readonly HeaderField[] => metadata.map(([name, value]) => ({ name, value }));

/** A header block as the other arm gave it. */
export const headBlock = (metadata: RpcMetadata): Buffer =>
  encodeHeaders([{ name: ':status', value: '200' }, ...fieldsOf(metadata)]);
