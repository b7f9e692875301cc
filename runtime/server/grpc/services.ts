import { ModelInferCall } from './calls/modelInfer.ts';
import type { RpcContext } from './dependencies.ts';
import type { Method, Methods } from './methods.ts';

/** Every method that the port answers. */
export function servicesOf(_context: RpcContext): Methods {
  return new Map<string, Method>([
    [
      '/inference.GRPCInferenceService/ModelInfer',
      { openToAll: false, open: (context, stream, head) => new ModelInferCall(context, stream, head) },
    ],
  ]);
}
