import type { RpcContext } from './dependencies.ts';
import type { RpcHead } from './head.ts';
import type { ServerStream } from './http2/stream.ts';
import type { Rpc } from './rpc.ts';

/** One method of a service. */
export interface Method {
  /** Answered without a key: probes have none. */
  readonly openToAll: boolean;
  open(context: RpcContext, stream: ServerStream, head: RpcHead, address: string | undefined): Rpc;
}

/** By the path of the call, "/package.Service/Method". */
export type Methods = ReadonlyMap<string, Method>;
