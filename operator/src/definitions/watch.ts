import type { Client } from '../kube/client.ts';
import type { Clock } from '../kube/clock.ts';
import type { Log } from '../kube/observe.ts';
import type { Transport } from '../kube/transport.ts';
import { type OlderKind, OPENAPI, olderKinds, olderText, tellingWhatIsKnown } from './older.ts';

const LOOK_MS = 60_000;

export interface DefinitionWatch {
  /** The client to work with meanwhile. */
  readonly client: Client;
  /** Looks every minute for as long as a definition is older; ends when none is, or with `signal`. */
  run(signal: AbortSignal): Promise<void>;
}

interface Around {
  readonly client: Client;
  readonly transport: Pick<Transport, 'call'>;
  readonly log: Pick<Log, 'warn' | 'info'>;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** Looks whether the cluster's definitions are as new as this operator, and says which are not. */
export async function watchDefinitions({ client, transport, log, clock }: Around): Promise<DefinitionWatch> {
  let older: readonly OlderKind[] = [];
  let said = '';
  const look = async (): Promise<void> => {
    const openApi = await transport.call({ verb: 'get', method: 'GET', path: OPENAPI }).catch(() => undefined);
    if (openApi === undefined) return; // no kind of ours is there yet, which the caches tell
    older = olderKinds(openApi);
    const sentences = older.map(olderText);
    if (sentences.join() !== said) for (const sentence of sentences) log.warn({}, sentence);
    if (older.length === 0 && said !== '')
      log.info({}, 'The CustomResourceDefinitions are as new as this operator now.');
    said = sentences.join();
  };
  await look();
  return {
    client: tellingWhatIsKnown(client, () => older),
    run: async (signal) => {
      while (older.length > 0 && !signal.aborted) {
        await clock.sleep(LOOK_MS, signal);
        if (!signal.aborted) await look();
      }
    },
  };
}
