import {
  type CallOptions,
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type ClientOptions,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import { decode, encode, type Plain } from '../proto/codec.ts';

export interface Answer {
  readonly message: Plain;
  /** Initial metadata of the server. */
  readonly metadata: Metadata;
}

export interface CallSetup extends CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
}

export const INFERENCE = 'inference.GRPCInferenceService';

const metadataOf = ({ metadata = {} }: CallSetup): Metadata => {
  const all = new Metadata();
  for (const [name, value] of Object.entries(metadata)) all.set(name, value);
  return all;
};

/** gRPC's own client for Node, with our messages. */
export class TestClient {
  readonly #client: Client;

  constructor(
    address: string,
    options: ClientOptions = {},
    security: ChannelCredentials = credentials.createInsecure(),
  ) {
    this.#client = new Client(address, security, { 'grpc.max_receive_message_length': -1, ...options });
    onTestFinished(() => this.#client.close());
  }

  /** A unary call of the inference service: the message as its fields. Rejects with a ServiceError. */
  call(method: string, message: Plain, setup: CallSetup = {}): Promise<Answer> {
    return this.ask(INFERENCE, method, message, `inference.${method}`, setup);
  }

  ask(service: string, method: string, message: Plain, type: string, setup: CallSetup = {}): Promise<Answer> {
    return this.raw(`/${service}/${method}`, encode(`${type}Request`, message), setup).then(({ bytes, metadata }) => ({
      message: decode(`${type}Response`, bytes),
      metadata,
    }));
  }

  /** A unary call with the bytes of its message. */
  raw(path: string, bytes: Uint8Array, setup: CallSetup = {}): Promise<{ bytes: Buffer; metadata: Metadata }> {
    return new Promise((resolve, reject) => {
      let metadata = new Metadata();
      const call = this.#client.makeUnaryRequest(
        path,
        (request: Uint8Array) => Buffer.from(request),
        (response: Buffer) => response,
        bytes,
        metadataOf(setup),
        setup,
        (error: ServiceError | null, response?: Buffer) => {
          if (response) resolve({ bytes: response, metadata });
          else reject(error);
        },
      );
      call.on('metadata', (first: Metadata) => {
        metadata = first;
      });
    });
  }

  /** A call of many messages both ways, each as its fields. */
  stream(path: string, request: string, response: string, setup: CallSetup = {}): ClientDuplexStream<Plain, Plain> {
    return this.#client.makeBidiStreamRequest(
      path,
      (message: Plain) => Buffer.from(encode(request, message)),
      (bytes: Buffer) => decode(response, bytes),
      metadataOf(setup),
      setup,
    );
  }
}

/** What a call was refused with. Throws when it was not. */
export async function refusalOf(
  call: Promise<unknown>,
): Promise<{ code: number; details: string; metadata: Metadata }> {
  const answer = await call.then(
    (value) => ({ value }),
    (error: ServiceError) => error,
  );
  if ('value' in answer) throw new Error(`the call was answered: ${JSON.stringify(answer.value)}`);
  return answer;
}
