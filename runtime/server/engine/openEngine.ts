import type { Engine } from './engine.ts';
import type { EngineOptions } from './engineOptions.ts';
import { checkModelFile } from './modelFile.ts';

/** Opens a model with the backend that its settings name. Throws Failure: one sentence that says what is wrong. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  await checkModelFile(options.path);
  if (options.settings.backend === 'ffi') {
    const { openFfi } = await import('./ffi/openFfi.ts');
    return openFfi(options);
  }
  const { openNode } = await import('./node/openNode.ts');
  return openNode(options);
}
