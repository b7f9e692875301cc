import { type Engine, EngineError, type EngineErrorKind } from './engine.ts';
import { parseInferRequest } from './inferRequest.ts';
import { encodeInferResponse } from './inferResponse.ts';
import { RequestError } from './requestError.ts';

/** Runs the body of an infer request and writes the body of its answer. Throws RequestError. */
export async function infer(body: string, engine: Engine, model: { name: string; version: string }): Promise<string> {
  const request = parseInferRequest(body, engine.signature);
  const id = request.id === undefined ? {} : { id: request.id };
  try {
    const outputs = await engine.infer(request.inputs, request.outputs);
    return encodeInferResponse({ model: model.name, version: model.version, ...id, outputs });
  } catch (error) {
    throw error instanceof EngineError ? ANSWERS[error.kind](error.message) : error;
  }
}

export const RETRY_SOON = { 'retry-after': '1' } as const;

const ANSWERS: Readonly<Record<EngineErrorKind, (message: string) => RequestError>> = {
  ModelFailed: (message) => new RequestError(500, `The model failed on this request: ${message}.`),
  WorkerLost: () => new RequestError(500, 'The server lost the thread that ran this request.'),
  Overloaded: () => new RequestError(503, 'Too many requests wait for the model; try again later.', RETRY_SOON),
};
