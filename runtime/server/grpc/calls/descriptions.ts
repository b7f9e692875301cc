import type { ServedModel } from '../../models/servedModel.ts';
import { modelConfig, modelMetadata, serverMetadata } from '../../protocol/metadata.ts';
import { modelStatistics } from '../../protocol/statistics.ts';
import type { RpcContext } from '../dependencies.ts';
import { findModel } from '../findModel.ts';
import type { Plain } from '../proto/codec.ts';

/** What a method makes of its message, both as plain objects. Throws (rejects) RequestError. */
export type Describe = (message: Plain, context: RpcContext) => Plain | Promise<Plain>;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const modelOf = ({ name, version }: Plain, context: RpcContext): ServedModel =>
  findModel(context, textOf(name), textOf(version));

/** A model that nobody knows is not ready, as in Triton: its clients take NOT_FOUND for a failure of the server. */
function isModelReady(message: Plain, { repository, phase }: RpcContext): boolean {
  const model = repository.find(textOf(message['name']), textOf(message['version']) || undefined);
  return model?.healthy === true && phase() === 'Serving';
}

const everyModel = ({ repository }: RpcContext): readonly ServedModel[] =>
  repository
    .names()
    .flatMap((name) => repository.versions(name).flatMap((version) => repository.find(name, version) ?? []));

/** Methods of inference.GRPCInferenceService that ask about a model and not the model. */
export const DESCRIPTIONS: Readonly<Record<string, Describe>> = {
  ServerLive: () => ({ live: true }),
  ServerReady: (_message, { ready }) => ({ ready: ready() }),
  ModelReady: (message, context) => ({ ready: isModelReady(message, context) }),
  ServerMetadata: (_message, { version, repository }) => serverMetadata(version, repository.controllable),
  ModelMetadata: (message, context) => {
    const model = modelOf(message, context);
    return modelMetadata(model, context.repository.versions(model.identity.name));
  },
  ModelConfig: (message, context) => ({ config: modelConfig(modelOf(message, context)) }),
  ModelStatistics: (message, context) =>
    modelStatistics(textOf(message['name']) === '' ? everyModel(context) : [modelOf(message, context)]),
};

/** Probes ask these, and have no key. */
export const PROBES: ReadonlySet<string> = new Set(['ServerLive', 'ServerReady', 'ModelReady']);
