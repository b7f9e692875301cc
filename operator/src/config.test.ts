import { expect, test } from 'vitest';
import { ConfigError, parseConfig } from './config.ts';

const image = { SLIPWAY_RUNTIME_IMAGE: 'example.com/runtime:1' };

test('only the runtime image has to be given', () => {
  expect(parseConfig(image)).toEqual({
    watchNamespaces: [],
    operatorNamespace: 'slipway-system',
    podName: 'slipway-operator',
    leaderElection: true,
    leaseMs: 15_000,
    renewMs: 10_000,
    retryMs: 2_000,
    runtimeImage: 'example.com/runtime:1',
    imagePullPolicy: 'IfNotPresent',
    defaultGateway: undefined,
    guardPeriodMs: 500,
    evidenceSource: 'pods',
    prometheusUrl: undefined,
    scrapeNamespaces: [],
    cloudeventsSink: undefined,
    driftPeriodMs: 20_000,
    logLevel: 'info',
    healthPort: 8081,
    http2: true,
    kubeconfig: undefined,
  });
});

test('a flag wins over the environment', () => {
  const config = parseConfig({ ...image, SLIPWAY_LOG_LEVEL: 'warn' }, ['--log-level', 'debug', '--http2=off']);
  expect([config.logLevel, config.http2]).toEqual(['debug', false]);
});

test('lists and references are parsed', () => {
  const config = parseConfig({
    ...image,
    SLIPWAY_WATCH_NAMESPACES: 'team-a,team-b,team-a',
    SLIPWAY_DEFAULT_GATEWAY: 'edge/public',
    SLIPWAY_SCRAPE_NAMESPACES: 'monitoring,mesh',
  });
  expect(config.scrapeNamespaces).toEqual(['monitoring', 'mesh']);
  expect(config.watchNamespaces).toEqual(['team-a', 'team-b']);
  expect(config.defaultGateway).toEqual({ namespace: 'edge', name: 'public' });
});

test('a Prometheus below a path is asked there', () => {
  const config = parseConfig({ ...image, SLIPWAY_PROMETHEUS_URL: 'https://monitoring.example.com/prometheus/' });
  expect(config.prometheusUrl).toBe('https://monitoring.example.com/prometheus');
});

const refused: Record<string, [Record<string, string>, string[], string]> = {
  'no runtime image': [{ SLIPWAY_RUNTIME_IMAGE: '' }, [], 'SLIPWAY_RUNTIME_IMAGE= must be the image of the runtime'],
  'a gateway without its namespace': [
    { SLIPWAY_DEFAULT_GATEWAY: 'public' },
    [],
    "SLIPWAY_DEFAULT_GATEWAY=public must be a Gateway's namespace/name",
  ],
  'a namespace in capitals': [{ SLIPWAY_WATCH_NAMESPACES: 'Team' }, [], 'SLIPWAY_WATCH_NAMESPACES=Team must be'],
  'a period in seconds': [{ SLIPWAY_GUARD_PERIOD_MS: '1s' }, [], 'whole number of milliseconds from 100 to 60000'],
  'a policy of the wrong case': [{ SLIPWAY_IMAGE_PULL_POLICY: 'always' }, [], 'one of Always, IfNotPresent, Never'],
  'a switch that is neither on nor off': [{}, ['--leader-election=true'], '--leader-election=true must be on or off'],
  'a lease that ends before its holder gives up': [
    { SLIPWAY_RENEW_MS: '20000' },
    [],
    'SLIPWAY_LEASE_MS=15000 must be greater than SLIPWAY_RENEW_MS=20000',
  ],
  'evidence of a Prometheus that is not named': [
    { SLIPWAY_EVIDENCE: 'prometheus' },
    [],
    'SLIPWAY_EVIDENCE=prometheus needs SLIPWAY_PROMETHEUS_URL, such as http://',
  ],
  'a Prometheus that is no address': [{ SLIPWAY_PROMETHEUS_URL: 'prometheus:9090' }, [], 'the address of a Prometheus'],
  'a password in an address, which logs would show': [
    { SLIPWAY_PROMETHEUS_URL: 'http://me:secret@prometheus:9090' },
    [],
    'the address of a Prometheus',
  ],
  'a flag nobody knows': [{}, ['--color', 'red'], 'the flags are --watch-namespaces'],
};
test.each(Object.entries(refused))('%s is refused with what to write instead', (_name, [env, flags, message]) => {
  expect(() => parseConfig({ ...image, ...env }, flags)).toThrow(ConfigError);
  expect(() => parseConfig({ ...image, ...env }, flags)).toThrow(message);
});

test('every bad value is named at once', () => {
  expect(() => parseConfig({ SLIPWAY_LOG_LEVEL: 'loud', SLIPWAY_HTTP2: 'yes' })).toThrow(
    /SLIPWAY_RUNTIME_IMAGE.*SLIPWAY_LOG_LEVEL.*SLIPWAY_HTTP2/s,
  );
});
