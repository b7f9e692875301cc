import { KubeConfig } from '@kubernetes/client-node';

export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized?: boolean;
  readonly servername?: string;
}
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsOptions;
}
/** One API server and the way to prove who we are. */
export interface Endpoint {
  readonly server: URL;
  /** Reads files and runs exec plugins anew where they may have changed; `rejected` after a 401 forgets cached tokens too. */
  readonly credentials: (rejected: boolean) => Promise<Credentials>;
}

/** A kubeconfig file; undefined: the pod's service account. `context`: one of its own, instead of the current one. */
function load(kubeconfig: string | undefined, context?: string): KubeConfig {
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromCluster();
  else config.loadFromFile(kubeconfig);
  if (context === undefined) return config;
  const names = config.getContexts().map(({ name }) => name);
  if (!names.includes(context))
    throw new Error(`${kubeconfig} has no context ${context}: write --context= one of ${names.join(', ')}`);
  config.setCurrentContext(context);
  return config;
}

function serverOf(config: KubeConfig, from: string): URL {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`${from} has no current context that names a cluster: set current-context`);
  if (cluster.proxyUrl !== undefined && cluster.proxyUrl !== '')
    throw new Error(`${from} sets proxy-url, which is not supported: give a server that is reached directly`);
  if (!URL.canParse(cluster.server)) throw new Error(`${from} names the server ${cluster.server}, which is no URL`);
  return new URL(cluster.server);
}

const text = (value: unknown): string | undefined => (value ? String(value) : undefined);

async function read(config: KubeConfig): Promise<Credentials> {
  const options: Parameters<KubeConfig['applyToHTTPSOptions']>[0] = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, rejectUnauthorized, servername, auth, headers } = options as Record<string, unknown>;
  const basic = text(auth) === undefined ? {} : { authorization: `Basic ${Buffer.from(`${auth}`).toString('base64')}` };
  const sent = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), `${value}`.trim()]);
  const tls = { ca: text(ca), cert: text(cert), key: text(key), servername: text(servername) };
  return {
    headers: { ...basic, ...Object.fromEntries(sent) },
    tls: {
      ...Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)),
      ...(rejectUnauthorized === false ? { rejectUnauthorized } : {}),
    },
  };
}

/**
 * The cluster of a kubeconfig file, or of the pod's service account when none is given. Everything is loaded again at
 * each call, so that rotated tokens and certificates are seen; only an exec plugin's answer is kept until it expires.
 */
export function endpointOf(kubeconfig: string | undefined, context?: string): Endpoint {
  let config = load(kubeconfig, context);
  const server = serverOf(config, kubeconfig ?? 'the service account');
  return {
    server,
    credentials: async (rejected) => {
      const keepsItsOwnCache = config.getCurrentUser()?.exec !== undefined;
      if (rejected || !keepsItsOwnCache) config = load(kubeconfig, context);
      return read(config);
    },
  };
}

/** Namespace of a context of a kubeconfig file, the current one where none is named: kubectl's default. */
export function contextNamespace(kubeconfig: string, context?: string): string {
  const config = load(kubeconfig, context);
  return config.getContextObject(config.getCurrentContext())?.namespace ?? 'default';
}
