import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { EngineSettings } from '@slipway/crds/serving';
import { Failure } from '../../../artifact/failure.ts';
import type { Engine } from '../engine.ts';
import type { EngineOptions } from '../engineOptions.ts';
import { libraryFolder } from '../libraryFolder.ts';
import { describeProcessor, keyOf } from '../optimizedCache.ts';
import { checkEntries } from '../sessionEntries.ts';
import { planSession } from '../sessionPlan.ts';
import { Child } from './child.ts';
import type { ChildModel } from './messages.ts';
import { NodeEngine } from './nodeEngine.ts';

const silence = () => undefined;

/** Opens a model through the stock package, in a process for each instance. Throws Failure. */
export async function openNode(options: EngineOptions): Promise<Engine> {
  const { settings, log = silence } = options;
  refuseUnsupported(settings);
  const program = options.child ?? { file: process.argv[1] as string };
  const model = await describe(options);
  const start = () => new Child(program, model, settings.maxRunMs, log);
  const children = Array.from({ length: settings.instances }, start);
  try {
    const [first] = await Promise.all(children.map(({ opened }) => opened));
    if (!first) throw new Error('an engine has at least one instance');
    return new NodeEngine(first.signature, first.providers, children, start, log);
  } catch (error) {
    for (const child of children) child.kill();
    throw error;
  }
}

/** The package takes of a GPU only its number, and does not say where a model runs. */
function refuseUnsupported({ requireGpu, gpu: { memoryBytes, shrink } }: EngineSettings): void {
  const unsupported = Object.entries({
    requireGpu,
    'gpu.memoryBytes': memoryBytes !== undefined,
    'gpu.shrink': shrink,
  }).find(([, isSet]) => isSet);
  if (!unsupported) return;
  throw new Failure(
    'ConfigurationInvalid',
    `engine.${unsupported[0]} needs "backend": "ffi"; the node backend cannot do it.`,
  );
}

async function describe({ path, digest, settings, cores }: EngineOptions): Promise<ChildModel> {
  const share = { ...settings, threads: settings.threads ?? Math.max(1, Math.floor(cores / settings.instances)) };
  const plan = planSession(share, cores);
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { readonly version: string };
  await checkEntries(join(libraryFolder(), 'libonnxruntime.so.1'), version, settings.session);
  const { cacheDirectory: directory, gpu } = settings;
  const key = keyOf({ digest, path, version, processor: await describeProcessor(), plan });
  return { path, plan, device: gpu.device, cache: directory === undefined ? undefined : { directory, key } };
}
