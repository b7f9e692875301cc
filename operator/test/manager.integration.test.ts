import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, afterEach, beforeAll, expect, inject, test, vi } from 'vitest';
import { type ConfigMap, configMaps, secrets } from '../src/api/builtin.ts';
import { endpointOf } from '../src/kube/config.ts';
import { type Connection, connect } from '../src/kube/connect.ts';
import { type ControllerContext, type ControllerSpec, source } from '../src/kube/contracts.ts';
import { Manager, type ManagerOptions } from '../src/kube/manager.ts';
import { again, type Outcome, settled } from '../src/kube/outcome.ts';
import { type Key, resource } from '../src/kube/resource.ts';
import { hastyClock } from './clock.ts';
import { surroundings } from './surroundings.ts';

const WITHIN = { timeout: 20_000, interval: 20 };
const PARENT = 'slipway.dev/test-parent';

let direct: Connection;
let tidy: (() => Promise<void>)[] = [];
let names = 0;

beforeAll(async () => {
  direct = await connect({ kubeconfig: inject('kubeconfig') });
});
afterAll(() => direct.close());
afterEach(async () => {
  for (const step of tidy.reverse()) await step();
  tidy = [];
});

const configMap = (name: string, data: Record<string, string>, labels: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'default', name, labels },
  data,
});

type Pass = (context: ControllerContext, key: Key, signal: AbortSignal) => Promise<Outcome>;
const controller = (pass: Pass, more: Partial<ControllerSpec> = {}): ControllerSpec => ({
  name: 'copier',
  grants: [{ resource: configMaps, verbs: ['create', 'patch'] }],
  sources: [
    source({
      resource: configMaps,
      indexes: { parent: ({ metadata }) => [metadata.labels?.[PARENT] ?? ''] },
      toKeys: ({ metadata }) => [
        { namespace: metadata.namespace ?? '', name: metadata.labels?.[PARENT] ?? metadata.name },
      ],
    }),
  ],
  build: (context) => ({ reconcile: (key, signal) => pass(context, key, signal) }),
  ...more,
});

function manage(spec: ControllerSpec, options: Partial<ManagerOptions> = {}) {
  const around = surroundings(endpointOf(inject('kubeconfig')));
  const base = { ...around, client: direct.client, controllers: [spec], namespaces: ['default'], instance: 'test' };
  const manager = new Manager({ ...base, election: undefined, ...options });
  const stop = new AbortController();
  const running = manager.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
    await around.transport.close();
  };
  tidy.push(end);
  return { manager, stop, running };
}

/** Copies `data.text` of a parent into its child: a controller as small as they get. */
const copy: Pass = async ({ client, store }, key, signal) => {
  const parent = store(configMaps).get(key);
  if (parent?.data?.['text'] === undefined) return settled;
  const child = configMap(`${key.name}-child`, { text: parent.data['text'] }, { [PARENT]: key.name });
  const kept = store(configMaps).by('parent', key.name)[0]?.data?.['text'] === parent.data['text'];
  if (!kept) await client.apply(configMaps, child, { fieldManager: 'slipway-copier', signal });
  return settled;
};

const childText = async (name: string): Promise<string | undefined> =>
  (await direct.client.get(configMaps, { namespace: 'default', name: `${name}-child` }))?.data?.['text'];

test('what was there before, what changes, and what is done to a child all lead to a pass', async () => {
  const name = `parent-${++names}`;
  await direct.client.create(configMaps, configMap(name, { text: 'first' }));
  const { manager } = manage(controller(copy));
  await vi.waitFor(async () => expect(await childText(name)).toBe('first'), WITHIN);
  expect(manager.ready()).toBe(true);
  await direct.client.merge(configMaps, { namespace: 'default', name }, { data: { text: 'second' } });
  await vi.waitFor(async () => expect(await childText(name)).toBe('second'), WITHIN);
  await direct.client.delete(configMaps, { namespace: 'default', name: `${name}-child` });
  await vi.waitFor(async () => expect(await childText(name)).toBe('second'), WITHIN);
});

test('a controller can call and read only what it declared', async () => {
  const errors: string[] = [];
  manage(
    controller(async ({ client, store }, key) => {
      await client.get(secrets, key).catch((error: Error) => errors.push(error.message));
      try {
        store(secrets);
      } catch (error) {
        errors.push((error as Error).message);
      }
      return settled;
    }),
  );
  // Passes over several objects take turns, so what each was told comes mixed.
  await vi.waitFor(() => expect(new Set(errors).size).toBe(2), WITHIN);
  expect(new Set(errors)).toEqual(
    new Set([
      'copier has no grant to get secrets: add it to the grants of copier',
      'copier reads secrets but has no source of them: add one to its sources',
    ]),
  );
});

test('a kind whose CRD is missing holds up its own controller and no other', async () => {
  const seen: string[] = [];
  const see =
    (who: string): Pass =>
    async () => {
      seen.push(who);
      return settled;
    };
  const absent = source({ resource: resource('absent.example.com', 'v1', 'Absent', 'absents'), toKeys: () => [] });
  const whole = controller(see('whole'));
  const lacking = { ...controller(see('lacking')), name: 'lacking', sources: [...whole.sources, absent] };
  const { manager } = manage(whole, { controllers: [lacking, whole], clock: hastyClock() });
  await vi.waitFor(() => expect(seen).toContain('whole'), WITHIN);
  expect(seen).not.toContain('lacking');
  expect(manager.ready()).toBe(false);
});

test('two sources of one kind in a controller are refused at the start', () => {
  const twice = source({ resource: configMaps, labelSelector: 'a=b', toKeys: () => [] });
  const spec = controller(copy);
  expect(() => manage({ ...spec, sources: [...spec.sources, twice] })).toThrow('two sources of configmaps');
});

test('a controller can put keys on its own queue', async () => {
  const seen: string[] = [];
  const see: Pass = async (_, key) => {
    seen.push(key.name);
    return settled;
  };
  manage(
    controller(see, {
      build: (context) => {
        context.enqueue({ namespace: 'default', name: 'later' }, 50);
        context.enqueue({ namespace: 'default', name: 'now' });
        return { reconcile: (key, signal) => see(context, key, signal) };
      },
    }),
  );
  await vi.waitFor(() => expect(seen).toEqual(expect.arrayContaining(['now', 'later'])), WITHIN);
});

test('a stop waits for the pass under way, then stops the controller', async () => {
  const order: string[] = [];
  const name = `parent-${++names}`;
  const { stop, running } = manage(
    controller(copy, {
      build: ({ client }) => ({
        reconcile: async (key) => {
          if (key.name !== name) return settled;
          order.push('begun');
          await direct.client.get(configMaps, key);
          await client.apply(configMaps, configMap(`${name}-child`, { text: 'done' }), {
            fieldManager: 'slipway-copier',
          });
          order.push('written');
          return again(1, 'for ever');
        },
        stop: async () => void order.push('stopped'),
      }),
    }),
  );
  await direct.client.create(configMaps, configMap(name, {}));
  await vi.waitFor(() => expect(order).toContain('begun'), WITHIN);
  stop.abort();
  await running;
  expect(order.at(-1)).toBe('stopped');
  expect(order.filter((step) => step === 'begun').length).toBe(order.filter((step) => step === 'written').length);
});

test('a pass that hangs is aborted by a stop', async () => {
  let reason: unknown;
  let begun = false;
  const { stop, running } = manage(
    controller(
      (_, __, signal) =>
        new Promise((_resolve, reject) => {
          begun = true;
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            reject(signal.reason);
          });
        }),
    ),
  );
  await direct.client.create(configMaps, configMap(`parent-${++names}`, {}));
  await vi.waitFor(() => expect(begun).toBe(true), WITHIN);
  stop.abort();
  await running;
  expect(reason).toMatchObject({ message: 'the operator is shutting down' });
});

test('objects of other namespaces are not seen', async () => {
  const seen: Key[] = [];
  const names = { outside: `outside-${process.pid}`, inside: `inside-${process.pid}` };
  const see: Pass = async (_, key) => {
    seen.push(key);
    return settled;
  };
  manage(controller(see), { namespaces: ['kube-system'] });
  const { metadata: _, ...inside } = configMap(names.inside, {});
  await direct.client.create(configMaps, configMap(names.outside, {}));
  await direct.client.create(configMaps, { ...inside, metadata: { namespace: 'kube-system', name: names.inside } });
  await vi.waitFor(() => expect(seen.map(({ name }) => name)).toContain(names.inside), WITHIN);
  expect(new Set(seen.map(({ namespace }) => namespace))).toEqual(new Set(['kube-system']));
});
