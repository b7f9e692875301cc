import { parseArgs } from 'node:util';
import type { Key } from './kube/resource.ts';

export const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'] as const;
export const EVIDENCE_SOURCES = ['pods', 'prometheus'] as const;
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Everything the operator can be told from outside. Each field is one environment variable and one flag. */
export interface OperatorConfig {
  /** Namespaces whose objects are ours to reconcile; empty means every namespace. */
  readonly watchNamespaces: readonly string[];
  /** Where the operator itself runs: its lease lives here. */
  readonly operatorNamespace: string;
  /** Names this replica in the lease and in Events. */
  readonly podName: string;
  readonly leaderElection: boolean;
  /** How long a lease lasts without renewal: a killed leader is replaced within this time plus one retry. */
  readonly leaseMs: number;
  /** How long a leader keeps trying to renew before it stops its controllers. Shorter than leaseMs. */
  readonly renewMs: number;
  /** Between two attempts to take or renew the lease. Shorter than renewMs. */
  readonly retryMs: number;
  /** Image of the runtime server, the publisher and the verifier. */
  readonly runtimeImage: string;
  readonly imagePullPolicy: (typeof PULL_POLICIES)[number];
  /** Gateway of services that name none. */
  readonly defaultGateway: Key | undefined;
  /** Between two looks at the evidence of a live rollout. */
  readonly guardPeriodMs: number;
  /** Where evidence about versions comes from: the pods, or a Prometheus that scrapes them where pods can't be reached. */
  readonly evidenceSource: (typeof EVIDENCE_SOURCES)[number];
  /** The Prometheus of guards that name none, and of evidenceSource prometheus. */
  readonly prometheusUrl: string | undefined;
  /** Namespaces, beside the operator's own, whose pods may read the metrics of model servers. */
  readonly scrapeNamespaces: readonly string[];
  /** Between two readings of the counters of services whose spec has a drift. */
  readonly driftPeriodMs: number;
  /** Where CloudEvents go of services that name no sink of their own. */
  readonly cloudeventsSink: string | undefined;
  /** Port that takes CloudEvents which ask for a retraining; undefined: none is taken. */
  readonly retrainEventsPort: number | undefined;
  readonly logLevel: LogLevel;
  /** Port of /livez, /readyz and /metrics. */
  readonly healthPort: number;
  /** Off falls back to HTTP/1.1, for proxies that break HTTP/2. */
  readonly http2: boolean;
  /** A kubeconfig file; without one the pod's own service account is used. */
  readonly kubeconfig: string | undefined;
}

/** A setting that can't be used; the message says what to write instead. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

interface Setting<T> {
  readonly env: string;
  readonly byDefault: string;
  /** Ends the sentence "SLIPWAY_X=... must be". */
  readonly mustBe: string;
  /** undefined: the text is not what it must be. */
  readonly read: (text: string) => { readonly value: T } | undefined;
}

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

const matching = (pattern: RegExp) => (text: string) => (pattern.test(text) ? { value: text } : undefined);
const oneOf =
  <T extends string>(...allowed: readonly T[]) =>
  (text: string) => {
    const value = allowed.find((a) => a === text);
    return value === undefined ? undefined : { value };
  };
const whole = (min: number, max: number) => (text: string) =>
  /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max ? { value: Number(text) } : undefined;
const onOff = (text: string) => (text === 'on' || text === 'off' ? { value: text === 'on' } : undefined);

/** Without a trailing slash; with a path where a Prometheus is served below one. No user or password: logs show it. */
const httpAddress = (text: string): { value: string | undefined } | undefined => {
  if (text === '') return { value: undefined };
  const url = URL.parse(text);
  const usable = url !== null && ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.search === '';
  return usable ? { value: url.href.replace(/\/+$/, '') } : undefined;
};

const namespaces = (text: string) => {
  const value = text.split(',').filter((part) => part !== '');
  return value.every((part) => DNS_LABEL.test(part)) ? { value: [...new Set(value)] } : undefined;
};
const gateway = (text: string): { value: Key | undefined } | undefined => {
  if (text === '') return { value: undefined };
  const [namespace = '', name = '', ...rest] = text.split('/');
  if (rest.length > 0 || !DNS_LABEL.test(namespace) || !DNS_SUBDOMAIN.test(name)) return undefined;
  return { value: { namespace, name } };
};
const sink = (text: string): { value: string | undefined } | undefined => {
  if (text === '') return { value: undefined };
  return /^https?:\/\//.test(text) && URL.canParse(text) ? { value: text } : undefined;
};
const milliseconds = (env: string, byDefault: string, min: number, max: number): Setting<number> => ({
  env,
  byDefault,
  mustBe: `a whole number of milliseconds from ${min} to ${max}`,
  read: whole(min, max),
});

const SETTINGS: { readonly [K in keyof OperatorConfig]: Setting<OperatorConfig[K]> } = {
  watchNamespaces: {
    env: 'SLIPWAY_WATCH_NAMESPACES',
    byDefault: '',
    mustBe: 'namespace names separated by commas, or empty for all namespaces',
    read: namespaces,
  },
  operatorNamespace: {
    env: 'SLIPWAY_OPERATOR_NAMESPACE',
    byDefault: 'slipway-system',
    mustBe: 'the name of the namespace that the operator runs in',
    read: matching(DNS_LABEL),
  },
  podName: {
    env: 'SLIPWAY_POD_NAME',
    byDefault: 'slipway-operator',
    mustBe: "this pod's name, such as slipway-operator-0",
    read: matching(DNS_SUBDOMAIN),
  },
  leaderElection: { env: 'SLIPWAY_LEADER_ELECTION', byDefault: 'on', mustBe: 'on or off', read: onOff },
  leaseMs: milliseconds('SLIPWAY_LEASE_MS', '15000', 1000, 600_000),
  renewMs: milliseconds('SLIPWAY_RENEW_MS', '10000', 500, 600_000),
  retryMs: milliseconds('SLIPWAY_RETRY_MS', '2000', 50, 60_000),
  runtimeImage: {
    env: 'SLIPWAY_RUNTIME_IMAGE',
    byDefault: '',
    mustBe: 'the image of the runtime server, such as example.com/slipway/runtime:0.1.0',
    read: matching(/^\S+$/),
  },
  imagePullPolicy: {
    env: 'SLIPWAY_IMAGE_PULL_POLICY',
    byDefault: 'IfNotPresent',
    mustBe: `one of ${PULL_POLICIES.join(', ')}`,
    read: oneOf(...PULL_POLICIES),
  },
  defaultGateway: {
    env: 'SLIPWAY_DEFAULT_GATEWAY',
    byDefault: '',
    mustBe: "a Gateway's namespace/name, such as envoy-gateway-system/public, or empty for none",
    read: gateway,
  },
  guardPeriodMs: milliseconds('SLIPWAY_GUARD_PERIOD_MS', '500', 100, 60_000),
  driftPeriodMs: milliseconds('SLIPWAY_DRIFT_PERIOD_MS', '20000', 100, 600_000),
  evidenceSource: {
    env: 'SLIPWAY_EVIDENCE',
    byDefault: 'pods',
    mustBe: `one of ${EVIDENCE_SOURCES.join(', ')}`,
    read: oneOf(...EVIDENCE_SOURCES),
  },
  prometheusUrl: {
    env: 'SLIPWAY_PROMETHEUS_URL',
    byDefault: '',
    mustBe: 'the address of a Prometheus, such as http://prometheus.monitoring:9090, or empty for none',
    read: httpAddress,
  },
  scrapeNamespaces: {
    env: 'SLIPWAY_SCRAPE_NAMESPACES',
    byDefault: '',
    mustBe: 'namespace names separated by commas, such as monitoring, or empty for none',
    read: namespaces,
  },
  cloudeventsSink: {
    env: 'SLIPWAY_CLOUDEVENTS_SINK',
    byDefault: '',
    mustBe: 'an http or https address that takes CloudEvents, such as http://broker.events/slipway, or empty for none',
    read: sink,
  },
  retrainEventsPort: {
    env: 'SLIPWAY_RETRAIN_EVENTS_PORT',
    byDefault: '',
    mustBe: 'a port from 0 to 65535, 0 for any free one, or empty to take no CloudEvents',
    read: (text) => (text === '' ? { value: undefined } : whole(0, 65_535)(text)),
  },
  logLevel: {
    env: 'SLIPWAY_LOG_LEVEL',
    byDefault: 'info',
    mustBe: `one of ${LOG_LEVELS.join(', ')}`,
    read: oneOf(...LOG_LEVELS),
  },
  healthPort: {
    env: 'SLIPWAY_HEALTH_PORT',
    byDefault: '8081',
    mustBe: 'a port from 0 to 65535, 0 for any free one',
    read: whole(0, 65_535),
  },
  http2: { env: 'SLIPWAY_HTTP2', byDefault: 'on', mustBe: 'on or off', read: onOff },
  kubeconfig: {
    env: 'SLIPWAY_KUBECONFIG',
    byDefault: '',
    mustBe: 'the path of a kubeconfig file, or empty for the service account of the pod',
    read: (text) => ({ value: text === '' ? undefined : text }),
  },
};

const flagOf = ({ env }: { readonly env: string }): string =>
  env.slice('SLIPWAY_'.length).toLowerCase().replaceAll('_', '-');

function readFlags(flags: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const names = Object.values(SETTINGS).map(flagOf);
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  try {
    return parseArgs({ args: [...flags], options, allowPositionals: false }).values;
  } catch (cause) {
    throw new ConfigError(
      `${(cause as Error).message.split('. ')[0]}: the flags are ${names.map((n) => `--${n}`).join(', ')}`,
      { cause },
    );
  }
}

/** The order that makes an election safe: a leader gives up before another may take over. */
function checkLease({ leaseMs, renewMs, retryMs }: OperatorConfig): string[] {
  if (leaseMs > renewMs && renewMs > retryMs) return [];
  return [
    `SLIPWAY_LEASE_MS=${leaseMs} must be greater than SLIPWAY_RENEW_MS=${renewMs}, which must be greater than SLIPWAY_RETRY_MS=${retryMs}`,
  ];
}

const checkEvidence = ({ evidenceSource, prometheusUrl }: OperatorConfig): string[] =>
  evidenceSource === 'prometheus' && prometheusUrl === undefined
    ? ['SLIPWAY_EVIDENCE=prometheus needs SLIPWAY_PROMETHEUS_URL, such as http://prometheus.monitoring:9090']
    : [];

/** Reads flags (`--watch-namespaces a,b`) over environment (`SLIPWAY_WATCH_NAMESPACES=a,b`) over defaults. Throws ConfigError naming every bad value. */
export function parseConfig(
  env: Readonly<Record<string, string | undefined>>,
  flags: readonly string[] = [],
): OperatorConfig {
  const given = readFlags(flags);
  const faults: string[] = [];
  const parsed = Object.entries(SETTINGS).map(([field, setting]) => {
    const flag = given[flagOf(setting)];
    const text = String(flag ?? env[setting.env] ?? setting.byDefault).trim();
    const read = (setting as Setting<unknown>).read(text);
    const written = flag === undefined ? `${setting.env}=${text}` : `--${flagOf(setting)}=${text}`;
    if (read === undefined) faults.push(`${written} must be ${setting.mustBe}`);
    return [field, read?.value];
  });
  const config: OperatorConfig = Object.fromEntries(parsed);
  if (faults.length === 0) faults.push(...checkLease(config), ...checkEvidence(config));
  if (faults.length > 0) throw new ConfigError(faults.join('\n'));
  return config;
}
