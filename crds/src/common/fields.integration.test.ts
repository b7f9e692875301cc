import { until } from '@slipway/hack/local-cluster/until.ts';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import type * as z from 'zod';
import { toStructural } from '../generate/structural.ts';
import { testServer } from '../testing/server.ts';
import {
  artifactUri,
  confidence,
  datasetUri,
  dateTime,
  decimal,
  digest,
  dnsLabel,
  duration,
  effect,
  hours,
  httpUrl,
  percent,
  quantity,
  semver,
  semverOrBump,
  storeUri,
  timeZone,
  tolerance,
} from './fields.ts';

const hex = 'ab'.repeat(32);

/** Each format with what it takes and what it refuses: zod in TypeScript and the server in CEL must agree on every one. */
const FORMATS: Readonly<Record<string, readonly [z.ZodType, readonly string[], readonly string[]]>> = {
  dnsLabel: [
    dnsLabel(40),
    ['a', '9', 'flight-delays', 'a--b'],
    ['', '-a', 'a-', 'A', 'a_b', 'a.b', 'é', 'a\n', 'x'.repeat(41)],
  ],
  semver: [
    semver(),
    ['0.0.0', '1.4.0', '10.20.30'],
    ['', '1.4', 'v1.4.0', '01.4.0', '1.4.0-rc1', '1.4.0\n', '1.4.0.0'],
  ],
  semverOrBump: [semverOrBump(), ['NextMajor', 'NextPatch', '1.4.0'], ['Next', 'nextminor', 'NextMinor1.4.0', '1.4']],
  digest: [digest(), [`sha256:${hex}`], [hex, `sha256:${hex}0`, `sha256:${hex.toUpperCase()}`, `md5:${hex}`, '']],
  duration: [
    duration(),
    ['0s', '90s', '1h30m', '7d', '1d2h3m4s'],
    ['', '60', '1.5h', '1m1h', '1M', '10 m', '-5s', 'h', 's10'],
  ],
  percent: [
    percent(),
    ['0%', '1%', '0.5%', '100%', '100.0%', '99.9999%'],
    ['', '1', '0.01', '101%', '100.1%', '.5%', '5 %', '-1%'],
  ],
  decimal: [decimal(), ['0', '-1', '0.80', '12.5'], ['', '.8', '1.', '80%', '1e-3', '+1', '1,5', 'NaN']],
  confidence: [confidence(), ['0.5', '0.95', '0.999999'], ['', '0.4', '1', '1.0', '0.', '0.9999999', '95%']],
  dateTime: [
    dateTime(),
    ['2030-01-31T09:00:00Z', '2030-12-01T23:59:59-11:30'],
    ['', '2030-01-31', '2030-01-31T09:00:00', '2030-13-01T09:00:00Z', '2030-01-32T09:00:00Z', '2030-01-31T24:00:00Z'],
  ],
  hours: [
    hours(),
    ['09:00-17:00', '22:00-04:00', '00:00-24:00'],
    ['', '9:00-17:00', '09:00', '09:00-25:00', '24:00-09:00', '09:00-09:00', '09:00 - 17:00'],
  ],
  timeZone: [
    timeZone(),
    ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'],
    ['', '+02:00', 'Europe/', 'Europe Berlin', '../etc/passwd'],
  ],
  effect: [effect(), ['0.2', '1', '12.5'], ['', '0', '.2', '-0.2', '1e-1', '20%']],
  tolerance: [tolerance(), ['0', '0.001', '1e-3', '2.5e2'], ['', '-1', '1e', '1%', '.1']],
  httpUrl: [
    httpUrl(),
    ['http://a', 'https://a.b:9090/c?d=e', 'http://[::1]:9090'],
    ['', 'a:9090', 'ftp://a', 'http://', 'http:///a', 'http://a b'],
  ],
  quantity: [quantity(), ['1', '500m', '1.5Gi', '2k', '0'], ['', '16GB', '1 Gi', '-1', 'Gi', '1e3', '1gi']],
  store: [
    storeUri(512),
    [
      'pvc://models',
      'pvc://models/',
      'pvc://models/team-a/b_c',
      's3://models',
      's3://models/a/',
      'oci://r.io:5000/a/b',
    ],
    [
      'models',
      'https://a/b',
      'pvc://',
      'pvc://Models',
      'pvc://a/../b',
      'pvc://a/.',
      'pvc://a//b',
      'pvc://a/b c',
      'oci://r.io',
    ],
  ],
  artifact: [
    artifactUri(1024),
    [
      'pvc://m/f',
      'pvc://m/f/1.4.0/',
      'pvc://m/..f',
      's3://models/flights/sha256-ab',
      `oci://r.io/a@sha256:${'ab'.repeat(32)}`,
      'https://models.example.com/flights',
    ],
    ['pvc://m', 'pvc://m/', 'pvc://m/..', 'pvc://m/a/../b', 'pvc://m/./b', 's3://models', 'ftp://a/b', 'https:///a'],
  ],
  dataset: [
    datasetUri(1024),
    ['pvc://data', 'pvc://data/2026/part.csv', 's3://data/2026/', 'https://example.com/a%20b.csv'],
    ['data', 'oci://r.io/a', 's3://d', 'pvc://data/../x', 'https://example.com/a?b=c'],
  ],
};

const GROUP = 'formats.test.slipway.dev';
const PATH = `/apis/${GROUP}/v1/probes?dryRun=All`;
const server = testServer(inject('kubeconfig'), 'default');

const probe = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `probes.${GROUP}` },
  spec: {
    group: GROUP,
    names: { kind: 'Probe', plural: 'probes' },
    scope: 'Cluster',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: Object.fromEntries(Object.entries(FORMATS).map(([name, [type]]) => [name, toStructural(type)])),
          },
        },
      },
    ],
  },
};

const asked = (name: string, value: string) =>
  server.post(PATH, { apiVersion: `${GROUP}/v1`, kind: 'Probe', metadata: { name: 'probe' }, [name]: value });

beforeAll(async () => {
  const { body } = await server.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', probe);
  expect(body['kind']).toBe('CustomResourceDefinition');
  const served = async () => (await asked('semver', '1.4.0')).status === 201;
  await until(served, { what: 'waiting for the probe to be served', timeoutMs: 20_000 });
});

describe.each(Object.entries(FORMATS))('%s', (name, [type, taken, refused]) => {
  test.each(taken)('takes %j, in zod and on the server', async (value) => {
    expect(type.safeParse(value).success).toBe(true);
    expect((await asked(name, value)).status).toBe(201);
  });
  test.each(refused)('refuses %j, in zod and on the server', async (value) => {
    expect(type.safeParse(value).success).toBe(false);
    expect((await asked(name, value)).status).toBe(422);
  });
});
