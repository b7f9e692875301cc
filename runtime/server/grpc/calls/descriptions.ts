import type { ServedModel } from '../../models/servedModel.ts';
import { modelConfig, modelMetadata, serverMetadata } from '../../protocol/metadata.ts';
import { modelStatistics } from '../../protocol/statistics.ts';
import { absentModel } from '../../rest/absentModel.ts';
import type { RpcContext } from '../dependencies.ts';
import { findModel } from '../findModel.ts';
import type { Plain } from '../proto/codec.ts';

/** What a method makes of its message, both as plain objects. Throws (rejects) RequestError. */
export type Describe = (message: Plain, context: RpcContext) => Plain | Promise<Plain>;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const modelOf = ({ name, version }: Plain, context: RpcContext): ServedModel =>
  findModel(context, textOf(name), textOf(version));

/** NOT_FOUND for a name that nobody knows: a probe of a misspelt model must not wait for ever. */
function isModelReady(message: Plain, { repository, phase }: RpcContext): boolean {
  const name = textOf(message['name']);
  const version = textOf(message['version']) || undefined;
  const model = repository.find(name, version);
  if (!model && phase() !== 'Starting' && !repository.knows(name, version)) {
    throw absentModel({ model: name, version }, { repository, phase });
  }
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
