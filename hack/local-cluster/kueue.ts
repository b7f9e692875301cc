import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { type ApiAccess, callApi } from './api.ts';
import { findBinary } from './binaries/find.ts';
import { goCommand } from './binaries/go.ts';
import { toolNamed } from './binaries/tools.ts';
import { type BoundChild, startBound } from './boundChild.ts';
import { run } from './command.ts';
import type { ControlPlane } from './controlPlane.ts';
import { applyDefinitions } from './customResources.ts';
import { freePorts } from './freePort.ts';
import type { Log } from './progress.ts';
import { until } from './until.ts';

const MODULE = 'sigs.k8s.io/kueue';
const NAMESPACE = 'kueue-system';
const SERVICE = 'kueue-webhook-service';
const SECRET = 'kueue-webhook-server-cert';
/** Its installers set this prefix before the names of its webhook configurations, and it looks for them by it. */
const PREFIX = 'kueue-';
const READY_MS = 90_000;

export interface KueueOptions {
  readonly plane: Pick<ControlPlane, 'kubeconfig' | 'access'>;
  /** Where its certificates, its configuration and its log go. */
  readonly directory: string;
  readonly log?: Log;
}

export interface Kueue {
  /** Of the module that it is built from. */
  readonly version: string;
  stop(): Promise<void>;
}

type Json = Record<string, unknown>;
type Webhooks = Json & { metadata: { name: string }; webhooks: { clientConfig: ClientConfig }[] };
interface ClientConfig {
  readonly service: { readonly path: string } & Json;
}
type Definition = Json & { metadata: { name: string }; spec: Json };

/** The Service that its installer names, at the port that it listens on here. */
type AtService = (config: ClientConfig) => ClientConfig;

const documentsIn = async <T>(path: string): Promise<T[]> =>
  parseAllDocuments(await readFile(path, 'utf8')).flatMap((document) => (document.toJS() as T | null) ?? []);

async function moduleFolder(): Promise<readonly [folder: string, version: string]> {
  const { module } = toolNamed('kueue');
  const go = await goCommand(module, () => {});
  await run(go, ['mod', 'download', MODULE], { cwd: module });
  const of = (format: string): Promise<string> => run(go, ['list', '-m', '-f', format, MODULE], { cwd: module });
  const [folder, version] = await Promise.all([of('{{.Dir}}'), of('{{.Version}}')]);
  return [join(folder, 'config', 'components'), version];
}

/** Its kinds, with the conversion between their versions where its installer adds it. */
async function definitions(folder: string, atService: AtService): Promise<Definition[]> {
  const crd = join(folder, 'crd');
  const { patches } = parse(await readFile(join(crd, 'kustomization.yaml'), 'utf8')) as { patches: { path: string }[] };
  const conversions = new Map<string, Json>();
  for (const { path } of patches) {
    const [{ metadata, spec } = { metadata: { name: '' }, spec: {} }] = await documentsIn<Definition>(join(crd, path));
    const conversion = spec['conversion'] as Json & { webhook: Json & { clientConfig: ClientConfig } };
    const webhook = { ...conversion.webhook, clientConfig: atService(conversion.webhook.clientConfig) };
    conversions.set(metadata.name, { ...conversion, webhook });
  }
  const names = await readdir(join(crd, 'bases'));
  const bases = await Promise.all(names.map((name) => documentsIn<Definition>(join(crd, 'bases', name))));
  return bases.flat().map((definition) => {
    const conversion = conversions.get(definition.metadata.name);
    return conversion === undefined ? definition : { ...definition, spec: { ...definition.spec, conversion } };
  });
}

const webhookConfigurations = async (folder: string, atService: AtService): Promise<Webhooks[]> =>
  (await documentsIn<Webhooks>(join(folder, 'webhook', 'manifests.yaml'))).map((configuration) => ({
    ...configuration,
    metadata: { name: `${PREFIX}${configuration.metadata.name}` },
    webhooks: configuration.webhooks.map((webhook) => ({ ...webhook, clientConfig: atService(webhook.clientConfig) })),
  }));

async function apply(access: ApiAccess, path: string, object: unknown): Promise<void> {
  const answer = await callApi(access, {
    method: 'PATCH',
    path: `${path}?fieldManager=slipway-local-cluster&force=true`,
    contentType: 'application/apply-patch+yaml',
    body: JSON.stringify(object),
  });
  if (answer.status >= 300) throw new Error(`The API server refuses ${path}: ${answer.body}`);
}

/**
 * Its namespace; the Service of its webhooks, which leads the API server to this machine; the Secret that it fills with
 * certificates of its own making.
 */
async function applyNamespace(access: ApiAccess): Promise<void> {
  const ours = `/api/v1/namespaces/${NAMESPACE}`;
  const metadata = (name: string) => ({ name, namespace: NAMESPACE });
  await apply(access, ours, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  await apply(access, `${ours}/services/${SERVICE}`, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(SERVICE),
    spec: { type: 'ExternalName', externalName: 'localhost' },
  });
  await apply(access, `${ours}/secrets/${SECRET}`, { apiVersion: 'v1', kind: 'Secret', metadata: metadata(SECRET) });
}

/** As a kubelet mounts the Secret: Kueue serves nothing before the files are there. */
async function mountCertificates(access: ApiAccess, folder: string, hopeless: () => string | undefined): Promise<void> {
  const filled = async (): Promise<Record<string, string> | undefined> => {
    const path = `/api/v1/namespaces/${NAMESPACE}/secrets/${SECRET}`;
    const { data } = JSON.parse((await callApi(access, { method: 'GET', path })).body) as Json & {
      data?: Record<string, string>;
    };
    return data?.['tls.crt'] === undefined ? undefined : data;
  };
  const data = await until(filled, { what: 'Kueue to make its certificates', timeoutMs: READY_MS, hopeless });
  for (const [name, text] of Object.entries(data))
    await writeFile(join(folder, name), Buffer.from(text, 'base64'), { mode: 0o600 });
}

/** The configuration that it ships, but for where it listens. Who asks for its visibility API is not there. */
async function configuration(
  folder: string,
  at: { health: number; webhook: number; certDir: string },
): Promise<string> {
  const shipped = parse(await readFile(join(folder, 'manager', 'controller_manager_config.yaml'), 'utf8')) as Json;
  return stringify({
    ...shipped,
    namespace: NAMESPACE,
    health: { healthProbeBindAddress: `127.0.0.1:${at.health}` },
    metrics: { bindAddress: '0' },
    webhook: { host: '127.0.0.1', port: at.webhook, certDir: at.certDir },
    leaderElection: { leaderElect: false },
    internalCertManagement: { enable: true, webhookServiceName: SERVICE, webhookSecretName: SECRET },
    featureGates: { VisibilityOnDemand: false },
  });
}

/**
 * The real Kueue as a process of this machine: its kinds, its webhooks and its configuration as its module ships them,
 * certificates of its own. Resolves when it is ready; it ends with stop(), and also when this process dies.
 */
export async function startKueue({ plane, directory, log = () => {} }: KueueOptions): Promise<Kueue> {
  const program = await findBinary('kueue', log);
  const [folder, version] = await moduleFolder();
  const [health = 0, webhook = 0] = await freePorts(2);
  const atService: AtService = ({ service }) => ({
    service: { ...service, name: SERVICE, namespace: NAMESPACE, port: webhook },
  });
  const certDir = join(directory, 'kueue');
  await mkdir(certDir, { recursive: true, mode: 0o700 });
  await applyNamespace(plane.access);
  await applyDefinitions(plane.access, await definitions(folder, atService));
  for (const object of await webhookConfigurations(folder, atService)) {
    const plural = `${String(object['kind']).toLowerCase()}s`;
    await apply(plane.access, `/apis/admissionregistration.k8s.io/v1/${plural}/${object.metadata.name}`, object);
  }
  const config = join(directory, 'kueue.yaml');
  await writeFile(config, await configuration(folder, { health, webhook, certDir }));
  const args = [`--kubeconfig=${plane.kubeconfig}`, `--config=${config}`, '--zap-log-level=2'];
  const child: BoundChild = startBound(program, args, join(directory, 'kueue.log'));
  await mountCertificates(plane.access, certDir, () => child.exited());
  await until(async () => (await fetch(`http://127.0.0.1:${health}/readyz`)).ok, {
    what: 'Kueue to be ready',
    timeoutMs: READY_MS,
    hopeless: () => child.exited(),
  });
  return { version, stop: () => child.end('SIGKILL') };
}
