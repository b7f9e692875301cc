import { servingSettingsSchema } from '@slipway/crds/serving';
import type { ServedModel } from '../../models/servedModel.ts';
import { BodyGate } from '../../rest/bodyGate.ts';
import { repositoryOf } from '../../rest/testing/serving.ts';
import { BufferPool } from '../bufferPool.ts';
import { CallOpener } from '../callOpener.ts';
import type { RpcContext } from '../dependencies.ts';
import type { RpcHead } from '../head.ts';
import { Connection } from '../http2/connection.ts';
import { LIMITS } from '../http2/testing/peer.ts';
import { METHODS } from '../services.ts';

/** One connection of the whole port, without a network. */
export class GrpcPeer {
  readonly failures: unknown[] = [];
  readonly #context: RpcContext;
  readonly #connection: Connection<RpcHead>;

  constructor(models: readonly ServedModel[]) {
    const { limits } = servingSettingsSchema.parse({});
    this.#context = {
      repository: repositoryOf(models),
      access: undefined,
      certificate: undefined,
      limits,
      phase: () => 'Serving',
      ready: () => true,
      identity: undefined,
      version: '0.0.0',
      elapsed: () => 0,
      now: () => 0,
      onFailure: (sentence, cause) => this.failures.push(sentence, cause),
      reading: {
        gate: new BodyGate(limits.maxBodiesBytes),
        pool: new BufferPool(0),
        maxMessageBytes: limits.maxBodyBytes,
        streamWindow: LIMITS.streamWindow,
        maxUnaskedBytes: limits.maxBodiesBytes,
        unasked: 0,
      },
    };
    const transport = { unsent: 0, write: () => true, end: () => undefined };
    this.#connection = new Connection(transport, new CallOpener(this.#context, METHODS, '127.0.0.1'), LIMITS);
  }

  /** Bytes of messages that are not whole. */
  get heldBytes(): number {
    const { gate, unasked } = this.#context.reading;
    return gate.held + unasked;
  }

  receive(bytes: Buffer): void {
    this.#connection.receive(bytes);
  }

  lost(): void {
    this.#connection.lost();
  }
}
