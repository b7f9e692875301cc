import type { Grant, Verb } from '@slipway/operator/kube/contracts.ts';
import { resource } from '@slipway/operator/kube/resource.ts';
import { expect, test } from 'vitest';
import { permissionsFrom, rulesFrom } from './rules.ts';

const pods = resource('', 'v1', 'Pod', 'pods');
const services = resource('', 'v1', 'Service', 'services');
const jobs = resource('batch', 'v1', 'Job', 'jobs');
const nodes = resource('', 'v1', 'Node', 'nodes', false);
const leases = resource('coordination.k8s.io', 'v1', 'Lease', 'leases');
const grant = (r: Grant['resource'], verbs: readonly Verb[], subresource?: string): Grant =>
  subresource === undefined ? { resource: r, verbs } : { resource: r, verbs, subresource };

test('what two controllers ask of one resource is one rule', () => {
  expect(rulesFrom([grant(pods, ['watch', 'list']), grant(pods, ['get', 'list'])])).toEqual([
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
  ]);
});

test('resources of one group with the same verbs share a rule, and others do not', () => {
  const grants = [
    grant(services, ['get']),
    grant(pods, ['get']),
    grant(jobs, ['get']),
    grant(pods, ['patch'], 'status'),
  ];
  expect(rulesFrom(grants)).toEqual([
    { apiGroups: [''], resources: ['pods', 'services'], verbs: ['get'] },
    { apiGroups: [''], resources: ['pods/status'], verbs: ['patch'] },
    { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get'] },
  ]);
});

test('the order of the grants does not matter', () => {
  const grants = [grant(pods, ['get']), grant(jobs, ['list', 'get']), grant(services, ['get'])];
  expect(rulesFrom(grants.toReversed())).toEqual(rulesFrom(grants));
});

test('the lease is asked for in the own namespace only, and nodes of the cluster only', () => {
  const { own, namespaced, cluster } = permissionsFrom([
    grant(leases, ['get']),
    grant(pods, ['get']),
    grant(nodes, ['list']),
  ]);
  expect(own.flatMap(({ resources }) => resources)).toEqual(['leases']);
  expect(namespaced.flatMap(({ resources }) => resources)).toEqual(['pods']);
  expect(cluster.flatMap(({ resources }) => resources)).toEqual(['nodes']);
});
