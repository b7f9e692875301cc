import { ENV } from '@slipway/crds/contract';
import { integer } from '../../container/environment.ts';
import type { Surroundings } from '../../container/surroundings.ts';
import type { StoreContext } from './store.ts';

/** What stores are given in a container of ours. Throws Failure ConfigurationInvalid. */
export function storeContextOf({ env, now, say }: Surroundings): StoreContext {
  const limit = env[ENV.maxBytes];
  return {
    say,
    now,
    claims: env[ENV.claimsDir],
    credentials: env[ENV.credentialsDir],
    scratch: env[ENV.scratchDir],
    maxBytes: limit === undefined ? undefined : integer(env, ENV.maxBytes, 0, 1, Number.MAX_SAFE_INTEGER),
  };
}
