import type { Signature } from '@slipway/crds/contract';
import { modelSettingsSchema } from '@slipway/crds/serving';
import { openScheduler } from '../../server/batching/openScheduler.ts';
import { availableCores } from '../../server/engine/cores.ts';
import { openEngine } from '../../server/engine/openEngine.ts';
import { fitThreads } from '../../server/models/fitThreads.ts';
import type { Run } from '../../server/models/golden.ts';
import { type ModelFiles, readModelFiles } from '../../server/models/modelFiles.ts';
import { runBy } from '../../server/models/prove.ts';
import { agreedSignature } from '../../server/models/signature.ts';
import { sampleInputs } from '../../server/models/warmUp.ts';
import { mayShareRuns, openPipeline } from '../../server/pipeline/openPipeline.ts';

/** A model as a server has it: the same engine, session settings, threads and queue. */
export interface OpenModel {
  readonly files: ModelFiles;
  readonly signature: Signature;
  readonly run: Run;
  readonly batchable: boolean;
  /** What the times depend on beside the machine. */
  readonly environment: { readonly backend: string; readonly providers: readonly string[]; readonly threads: number };
  close(): Promise<void>;
}

/** Opens an artifact as the server does with its default settings. Throws Failure with the server's sentence. */
export async function openAsServed(directory: string, rows: number): Promise<OpenModel> {
  const settings = modelSettingsSchema.parse({ batching: { maxSize: Math.max(rows, 32) } });
  const files = await readModelFiles(directory);
  const cores = (await availableCores()).count;
  let threads = cores;
  const engine = await fitThreads(
    (fitting) => {
      threads = fitting ?? cores;
      return openPipeline(files, {
        open: (path) => openEngine({ path, digest: '', settings: { ...settings.engine, threads }, cores }),
        truncateText: settings.truncateText,
      });
    },
    settings.engine,
    ({ signature }) => sampleInputs({ signature, golden: [], batchable: true }, 1),
  );
  const batching = mayShareRuns(files, engine.signature) ? settings.batching : { ...settings.batching, maxSize: 1 };
  const scheduler = openScheduler({ engine, settings: { ...settings, batching } });
  return {
    files,
    signature: agreedSignature(files.signature, engine.signature),
    run: runBy(scheduler),
    batchable: scheduler.batchable,
    environment: { backend: engine.backend, providers: engine.providers, threads },
    close: async () => {
      await scheduler.close();
      await engine.close();
    },
  };
}
