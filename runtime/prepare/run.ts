import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { fetchDataset } from '../artifact/stores/fetchDataset.ts';
import { storeContextOf } from '../artifact/stores/storeContextOf.ts';
import { exitCodeOf, type Surroundings, terminationLogOf } from '../container/surroundings.ts';
import { askPeer } from './askPeer.ts';
import { prepareConfig } from './config.ts';
import { hostOf } from './gathering.ts';
import { prepare } from './prepare.ts';

/** Prepares a training pod and returns the exit code; the report is the termination message. */
export const runPrepare = (around: Surroundings): Promise<number> =>
  exitCodeOf(around, async () => {
    const { env, now, say } = around;
    const config = prepareConfig(env);
    const context = storeContextOf(around);
    const report = await prepare(config, {
      fetch: (order, into) => fetchDataset(order, into, context),
      ask: (rank) => askPeer(config.peers === undefined ? '' : hostOf(config.peers, rank), config.agentPort),
      say,
      now,
      pause: (ms) => pause(ms),
      owner: hostname(),
    });
    await writeFile(terminationLogOf(env), JSON.stringify(report));
  });
