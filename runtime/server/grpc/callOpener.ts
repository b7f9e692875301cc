import { countRefusal } from '../rest/refusal.ts';
import { faultBlock, plainBlock } from './blocks.ts';
import type { RpcContext } from './dependencies.ts';
import { parseHead, type RpcHead } from './head.ts';
import type { ConnectionUser } from './http2/connection.ts';
import type { ServerStream, StreamUser } from './http2/stream.ts';
import type { Method, Methods } from './methods.ts';
import { CODE, fault, faultOf, type RpcFault } from './status.ts';

/** Opens the calls of one connection: finds their method and lets them in, or says why not. */
export class CallOpener implements ConnectionUser<RpcHead> {
  readonly #context: RpcContext;
  readonly #methods: Methods;
  readonly #address: string | undefined;
  readonly parseHead = parseHead;

  constructor(context: RpcContext, methods: Methods, address: string | undefined) {
    this.#context = context;
    this.#methods = methods;
    this.#address = address;
  }

  open(stream: ServerStream, head: RpcHead, ended: boolean): StreamUser {
    if (head.refused !== undefined) return this.#refuseHttp(stream, head.refused);
    const method = this.#methods.get(head.path);
    const refusal = head.fault ?? (method ? this.#refusalOf(head, method) : unknownMethod(head.path, this.#methods));
    if (refusal || !method) return this.#refuse(stream, refusal as RpcFault);
    const call = method.open(this.#context, stream, head, this.#address);
    if (ended) call.data(NOTHING, 0, 0, true);
    return call;
  }

  failed(error: unknown): void {
    this.#context.onFailure('The server failed on a connection.', error);
  }

  #refusalOf({ authorization }: RpcHead, { openToAll }: Method): RpcFault | undefined {
    const { access } = this.#context;
    if (!access || openToAll) return undefined;
    const refused = access.admit(authorization, this.#address);
    return refused && faultOf(refused);
  }

  #refuse(stream: ServerStream, refusal: RpcFault): StreamUser {
    if (refusal.code !== CODE.unimplemented) countRefusal(this.#context.refusals, refusal.error);
    stream.send(undefined, undefined, faultBlock(refusal, this.#context.identity));
    return NOBODY;
  }

  #refuseHttp(stream: ServerStream, status: number): StreamUser {
    stream.send(undefined, undefined, plainBlock(status));
    return NOBODY;
  }
}

const NOTHING = new Uint8Array(0);

/** Stands where a call was refused: what still comes is thrown away. */
const NOBODY: StreamUser = { data() {}, gone() {}, tick() {}, drain() {}, abandon() {} };

function unknownMethod(path: string, methods: Methods): RpcFault {
  const service = path.slice(0, path.lastIndexOf('/') + 1);
  const known = [...methods.keys()]
    .filter((name) => name.startsWith(service))
    .map((name) => name.slice(service.length));
  const brief = path.slice(0, 200);
  if (known.length === 0)
    return fault(CODE.unimplemented, 501, `There is no service at ${brief} here; ask reflection for those there are.`);
  return fault(CODE.unimplemented, 501, `There is no method at ${brief}; the service has ${known.join(', ')}.`);
}
