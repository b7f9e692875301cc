import { createHash } from 'node:crypto';
import { FILES, type Place } from '@slipway/crds/contract';
import { withStore } from './openStore.ts';
import type { StoreContext } from './store.ts';

/**
 * Puts what was measured of an artifact beside it, under the name of its ModelVersion, in place of older reports of that
 * name. `digest` is that of report.json. Throws Failure CredentialsRefused, StoreUnavailable (also for a store that is
 * read-only) or StoreFull; then the older reports are still there.
 */
export async function putReports(
  place: Place,
  name: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  context: StoreContext,
): Promise<{ readonly uri: string; readonly digest: string }> {
  const uri = await withStore(place, context, (store) => store.putReports(place.uri, name, files));
  const digest = createHash('sha256')
    .update(files[FILES.report] ?? '')
    .digest('hex');
  return { uri, digest: `sha256:${digest}` };
}
