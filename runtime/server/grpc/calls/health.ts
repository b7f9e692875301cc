import { RequestError } from '../../requestError.ts';
import type { RpcContext } from '../dependencies.ts';
import { decode, encode, type Plain } from '../proto/codec.ts';
import { Rpc, SHUTTING_DOWN, writable } from '../rpc.ts';
import type { RpcFault } from '../status.ts';
import { NO_MESSAGE, TWO_MESSAGES } from './modelInfer.ts';

const SERVICE = 'inference.GRPCInferenceService';
const HEALTH = 'grpc.health.v1';

type Serving = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

/** The whole server has the empty name; each ready model's name is a service of its own, as probes like to ask. */
function statusOf(service: string, { ready, repository, phase }: RpcContext): Serving {
  if (service === '' || service === SERVICE) return ready() ? 'SERVING' : 'NOT_SERVING';
  if (!repository.knows(service)) return 'SERVICE_UNKNOWN';
  return repository.find(service)?.healthy === true && phase() === 'Serving' ? 'SERVING' : 'NOT_SERVING';
}

const serviceOf = ({ service }: Plain): string => (typeof service === 'string' ? service : '');

/** grpc.health.v1.Health/Check. */
export function check(bytes: Buffer, context: RpcContext): Uint8Array {
  const service = serviceOf(decode(`${HEALTH}.HealthCheckRequest`, bytes));
  const status = statusOf(service, context);
  if (status === 'SERVICE_UNKNOWN') throw new RequestError(404, `There is no service "${service.slice(0, 100)}" here.`);
  return encode(`${HEALTH}.HealthCheckResponse`, { status });
}

/** grpc.health.v1.Health/Watch: tells the status at once and then each change, within about a second. */
export class WatchCall extends Rpc {
  #service: string | undefined;
  #told: Serving | undefined;

  protected message(bytes: Buffer, start: number, end: number): void {
    if (this.#service !== undefined) throw TWO_MESSAGES;
    this.#service = serviceOf(decode(`${HEALTH}.HealthCheckRequest`, bytes.subarray(start, end)));
    this.#tell();
  }

  protected inputEnded(): void {
    if (this.#service === undefined) throw NO_MESSAGE;
  }

  protected override get owesMessage(): boolean {
    return this.#service === undefined;
  }

  override tick(now: number): void {
    super.tick(now);
    this.#tell();
  }

  override drain(): void {
    this.#tell();
    this.fail(SHUTTING_DOWN);
  }

  #tell(): void {
    if (this.#service === undefined || this.over) return;
    const status = statusOf(this.#service, this.context);
    if (status === this.#told) return;
    this.#told = status;
    this.sendMessage(writable(encode(`${HEALTH}.HealthCheckResponse`, { status })));
  }

  protected ended(_fault: RpcFault): void {}
}
