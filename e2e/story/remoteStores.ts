import { network } from '@slipway/hack/local-cluster/host/settings.ts';
import { secrets } from '@slipway/operator/api/builtin.ts';
import { createBucket } from '@slipway/runtime/artifact/stores/testing/bucket.ts';
import { LOGIN, type Servers, startServers } from '../stores/servers.ts';
import { FIELD_MANAGER, type Stage } from './stage.ts';

const BUCKET = 'models';

/** Where a job publishes to, and what opens it. */
export interface RemoteStore {
  readonly uri: string;
  /** Entries of the Secret for a password. */
  readonly entries: (password: string) => Record<string, string>;
}

export type StoreKind = 's3' | 'oci';

/** Real servers that pods reach at the address of their node, which is this machine. */
export interface RemoteStores {
  readonly stores: Readonly<Record<StoreKind, RemoteStore>>;
  close(): Promise<void>;
}

const s3 = ({ s3: { url } }: Servers): RemoteStore => ({
  uri: `s3://${BUCKET}/team`,
  entries: (password) => ({
    AWS_ACCESS_KEY_ID: LOGIN.username,
    AWS_SECRET_ACCESS_KEY: password,
    AWS_ENDPOINT_URL: url,
  }),
});

const oci = ({ closedOci: { host } }: Servers): RemoteStore => ({
  uri: `oci://${host}/team`,
  entries: (password) => ({ username: LOGIN.username, password, plainHTTP: 'true' }),
});

/** Starts them. Only the local cluster's own node has that address: they can't be reached from a cluster of kind. */
export async function openRemoteStores(): Promise<RemoteStores> {
  const servers = await startServers((line) => console.error(`  ${line}`), network.nodeAddress);
  try {
    const stores = { s3: s3(servers), oci: oci(servers) };
    await createBucket(stores.s3.entries(LOGIN.password), BUCKET);
    return { stores, close: () => servers.close() };
  } catch (error) {
    await servers.close();
    throw error;
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Writes the Secret of a store as who looks after it would: with the password, or with one that opens nothing. */
export async function writePassword(
  { ground, namespace }: Stage,
  name: string,
  { entries }: RemoteStore,
  password: 'right' | 'wrong',
): Promise<void> {
  const all = Object.entries(entries(password === 'right' ? LOGIN.password : 'rotated-away'));
  const secret = {
    apiVersion: 'v1' as const,
    kind: 'Secret' as const,
    metadata: { name, namespace },
    data: Object.fromEntries(all.map(([key, value]) => [key, base64(value)])),
  };
  await ground.client.apply(secrets, secret, { fieldManager: FIELD_MANAGER });
}
