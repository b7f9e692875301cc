import { DESCRIPTIONS, type Describe, PROBES } from './calls/descriptions.ts';
import { check, WatchCall } from './calls/health.ts';
import { ModelInferCall } from './calls/modelInfer.ts';
import { ModelStreamInferCall } from './calls/modelStreamInfer.ts';
import { ReflectionCall } from './calls/reflection.ts';
import { REPOSITORY } from './calls/repository.ts';
import { type Unary, UnaryCall } from './calls/unaryCall.ts';
import type { RpcContext } from './dependencies.ts';
import type { Method, Methods } from './methods.ts';
import { decode, encode } from './proto/codec.ts';
import type { Rpc } from './rpc.ts';

type RpcClass = new (...call: Parameters<Method['open']>) => Rpc;

const INFERENCE = 'inference.GRPCInferenceService';

const streamed = (Call: RpcClass, openToAll = false): Method => ({
  openToAll,
  open: (...call) => new Call(...call),
});

const unary = (answer: (message: Buffer, context: RpcContext) => ReturnType<Unary>, openToAll: boolean): Method => ({
  openToAll,
  open: (...call) => new UnaryCall(call, (message) => answer(message, call[0])),
});

const described = (name: string, describe: Describe): [string, Method] => [
  `/${INFERENCE}/${name}`,
  unary(async (bytes, context) => {
    const message = decode(`inference.${name}Request`, bytes);
    return encode(`inference.${name}Response`, await describe(message, context));
  }, PROBES.has(name)),
];

/** Every method that the port answers, by its path. */
export const METHODS: Methods = new Map<string, Method>([
  [`/${INFERENCE}/ModelInfer`, streamed(ModelInferCall)],
  [`/${INFERENCE}/ModelStreamInfer`, streamed(ModelStreamInferCall)],
  ...Object.entries({ ...DESCRIPTIONS, ...REPOSITORY }).map(([name, describe]) => described(name, describe)),
  ['/grpc.health.v1.Health/Check', unary(check, true)],
  ['/grpc.health.v1.Health/Watch', streamed(WatchCall, true)],
  ['/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', streamed(ReflectionCall)],
  ['/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo', streamed(ReflectionCall)],
]);
