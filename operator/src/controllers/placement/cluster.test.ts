import { describe, expect, test } from 'vitest';
import { gpuNode, H100 } from '../../../test/gpuNodes.ts';
import type { Client } from '../../kube/client.ts';
import { ApiError } from '../../kube/errors.ts';
import type { Resource } from '../../kube/resource.ts';
import { ClusterView } from './cluster.ts';

const signal = new AbortController().signal;
const at = (seconds: number): Date => new Date(1_000_000 + 1000 * seconds);

/** An API server that holds so much, or refuses to list it. */
function holding(lists: Readonly<Record<string, readonly object[] | number>>) {
  const asked: string[] = [];
  const client = {
    list: async ({ plural }: Resource) => {
      asked.push(plural);
      const list = lists[plural] ?? [];
      if (typeof list === 'number') throw new ApiError(list, list === 404 ? 'NotFound' : 'Forbidden', 'no');
      return list;
    },
  } as unknown as Client;
  return { asked, view: new ClusterView(client) };
}

const pod = (nodeName: string) => ({
  metadata: { name: 'p' },
  spec: { nodeName, containers: [{ name: 'c', resources: { limits: { 'nvidia.com/gpu': '3' } } }] },
});

describe('the nodes of a cluster', () => {
  test('are listed once for a thousand jobs that ask within half a minute', async () => {
    const { view, asked } = holding({ nodes: [gpuNode(H100)] });
    await Promise.all(Array.from({ length: 1000 }, () => view.look(at(0), signal)));
    expect((await view.look(at(30), signal)).nodes).toHaveLength(1);
    expect(asked).toEqual(['nodes']);
    await view.look(at(31), signal);
    expect(asked).toEqual(['nodes', 'nodes']);
  });

  test('carry what their pods hold', async () => {
    const { view } = holding({ nodes: [gpuNode(H100)], pods: [pod('n'), pod('n')] });
    expect((await view.lookWithPods(at(0), signal)).taken?.get('n')).toMatchObject({ 'nvidia.com/gpu': 6, pods: 2 });
  });

  test('without a right, less is known and nothing fails, nor is asked again at once', async () => {
    const { view, asked } = holding({ nodes: 403, pods: 403, resourceslices: 404 });
    for (const second of [0, 1]) {
      const cluster = await view.lookWithPods(at(second), signal, true);
      expect(cluster).toEqual({ nodes: [], unseen: true, taken: undefined, devices: undefined });
    }
    expect(asked.sort()).toEqual(['nodes', 'pods', 'resourceclaims', 'resourceslices']);
  });

  test('a read that was given up is begun anew', async () => {
    const giveUp = AbortSignal.abort();
    const { view, asked } = holding({ nodes: 403 });
    await view.look(at(0), giveUp);
    await view.look(at(0), signal);
    expect(asked).toEqual(['nodes', 'nodes']);
  });
});

describe('kubeflow/trainer#2782: a claim that can not be granted is told with what mends it', () => {
  const named = (name: string) => ({ metadata: { name } });

  test.each([
    ['the class is there', [named('gpu.nvidia.com')], undefined],
    ['no class', [], /^The cluster has no DeviceClass gpu\.nvidia\.com \(it has none\): install .* or write/],
    ['another class', [named('mig.nvidia.com')], /\(it has mig\.nvidia\.com\)/],
    ['an older Kubernetes', 404, /^This cluster has no ResourceClaims .* write accelerator\.resource/],
    ['no right to look: the scheduler will tell', 403, undefined],
  ])('%s', async (_case, deviceclasses, expected) => {
    const trouble = await holding({ deviceclasses }).view.claimTrouble('gpu.nvidia.com', signal);
    if (expected === undefined) expect(trouble).toBeUndefined();
    else expect(trouble).toMatch(expected);
  });
});
