import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiDouble } from '../../test/apiDouble.ts';
import { identitiesOf, Mirror } from '../../test/mirror.ts';
import { surroundings } from '../../test/surroundings.ts';
import { type ConfigMap, configMaps } from '../api/builtin.ts';
import { Informer, type InformerOptions } from './informer.ts';

const WITHIN = { timeout: 8_000, interval: 10 };

describe.each([{ http2: true }, { http2: false }])('with http2 $http2', ({ http2 }) => {
  let double: ApiDouble;
  let informer: Informer<ConfigMap>;
  let mirror: Mirror<ConfigMap>;
  let stop: AbortController;
  let close: () => Promise<void>;
  let heard = 0;

  beforeEach(async () => {
    double = await ApiDouble.open();
  });
  afterEach(async () => {
    stop.abort();
    await close();
    await double.close();
  });

  async function start(options: Partial<InformerOptions<ConfigMap>> = {}, watches = 1): Promise<void> {
    const meter = { heard: () => (heard += 1) };
    const around = surroundings(double.front.endpoint, { http2, meter });
    informer = new Informer<ConfigMap>(around, { resource: configMaps, ...options });
    mirror = new Mirror(informer);
    informer.addIndex('letter', ({ metadata: { name } }) => {
      if (name === 'bad') throw new Error('broken index');
      return [name.slice(0, 1)];
    });
    stop = new AbortController();
    const running = informer.run(stop.signal);
    close = async () => {
      await running;
      await around.transport.close();
    };
    await informer.synced();
    await watching(watches);
  }
  const watching = (watches = 1): Promise<void> => vi.waitFor(() => expect(double.openWatches).toBe(watches), WITHIN);

  /** The one thing every fault must leave true. */
  async function equal(): Promise<void> {
    await vi.waitFor(() => expect(identitiesOf(informer.store.list())).toEqual(identitiesOf(double.objects)), WITHIN);
    expect(identitiesOf(mirror.objects.values())).toEqual(identitiesOf(double.objects));
    expect(mirror.faults).toEqual([]);
  }
  /** Every change the server made after the first list was told, once and in order. */
  function toldEverything(): void {
    const news = mirror.told
      .filter((change) => !change.initial)
      .map(({ object }) => Number(object.metadata.resourceVersion));
    expect(news).toEqual(double.history.slice(-news.length).map(({ version }) => version));
    expect(mirror.told.length).toBe(double.history.length);
  }

  test('10,000 objects are read in pages', async () => {
    for (let i = 0; i < 10_000; i++) double.put(`c-${i}`);
    await start();
    await equal();
    const pages = double.seen.filter(({ verb }) => verb === 'list');
    expect(pages.length).toBe(20);
    expect(pages[0]?.url.searchParams.get('limit')).toBe('500');
  });

  test('a list whose pages expire under it is read at once instead', async () => {
    for (let i = 0; i < 1_200; i++) double.put(`c-${i}`);
    double.compactAfterNextPage();
    await start();
    await equal();
    const limits = double.seen.filter(({ verb }) => verb === 'list').map(({ url }) => url.searchParams.get('limit'));
    expect(limits).toEqual(['500', '500', null]);
  });

  test('changes arrive in order, without managedFields', async () => {
    await start();
    double.put('a', '1');
    double.put('a', '2');
    double.put('b', '1');
    double.remove('a');
    double.put('a', '3');
    await equal();
    toldEverything();
    expect(mirror.told.map(({ type }) => type)).toEqual(['added', 'updated', 'added', 'deleted', 'added']);
    expect(informer.store.get({ namespace: 'default', name: 'a' })?.metadata).not.toHaveProperty('managedFields');
    expect(informer.store.get({ namespace: 'default', name: 'a' })).toMatchObject({
      apiVersion: 'v1',
      kind: 'ConfigMap',
    });
  });

  test('a bookmark is where the next watch starts', async () => {
    await start();
    double.put('a', '1', 'default');
    await equal();
    const before = heard;
    double.bookmark();
    double.compact();
    await vi.waitFor(() => expect(heard).toBe(before + 1), WITHIN);
    double.endWatches();
    await vi.waitFor(() => expect(double.seen.filter(({ verb }) => verb === 'watch').length).toBe(2), WITHIN);
    expect(double.seen.filter(({ verb }) => verb === 'list').length).toBe(1);
    expect(double.seen.at(-1)?.url.searchParams.get('resourceVersion')).toBe('101');
  });

  test('410 in the stream leads to a new list, and a name that was recreated meanwhile is two changes', async () => {
    double.put('kept');
    double.put('replaced');
    double.put('gone');
    await start();
    double.failNext('list', { status: 500 }, 2);
    double.compact();
    double.expireWatches();
    double.remove('replaced');
    double.remove('gone');
    double.put('replaced', 'anew');
    double.put('new');
    double.compact();
    await equal();
    const later = mirror.told.slice(3).map(({ type, object }) => `${type} ${object.metadata.name}`);
    expect(later.sort()).toEqual(['added new', 'added replaced', 'deleted gone', 'deleted replaced']);
  });

  test('410 as the answer to a watch leads to a new list', async () => {
    await start();
    double.failNext('watch', { status: 410, reason: 'Expired' });
    double.endWatches();
    double.put('a');
    double.compact();
    await equal();
    await watching();
    expect(double.seen.filter(({ verb }) => verb === 'list').length).toBe(2);
  });

  test('a connection reset in mid-line loses nothing and repeats nothing', async () => {
    await start();
    for (let i = 0; i < 10; i++) {
      await double.putCutOff('a', `${i}`.repeat(1_000));
      double.put('b', String(i));
      await equal();
      await watching();
    }
    toldEverything();
    expect(double.seen.filter(({ verb }) => verb === 'list').length).toBe(1);
  });

  test('a half-open connection is noticed by its silence', async () => {
    await start({ silenceMs: 300 });
    double.put('a', '1');
    await equal();
    double.front.relay.freezeAll();
    double.put('a', '2');
    double.remove('a');
    double.put('c', '1');
    await equal();
    toldEverything();
  });

  test('a quiet kind is watched again from where it was, over the same connection', async () => {
    await start({ silenceMs: 50 });
    const before = double.front.relay.accepted();
    const watches = (): number => double.seen.filter(({ verb }) => verb === 'watch').length;
    await vi.waitFor(() => expect(watches()).toBeGreaterThan(5), WITHIN);
    double.put('a', '1');
    await equal();
    toldEverything();
    expect(double.seen.filter(({ verb }) => verb === 'list').length).toBe(1);
    // HTTP/1.1 has nothing but closing to end a stream with, so there each watch has a connection of its own.
    if (http2) expect(double.front.relay.accepted()).toBe(before);
  });

  test('a server that is gone for a while is found again', async () => {
    await start();
    double.front.relay.refuse(true);
    double.front.relay.resetAll();
    double.put('a');
    await vi.waitFor(() => expect(double.front.relay.refused()).toBeGreaterThan(1), WITHIN);
    double.put('b');
    double.front.relay.refuse(false);
    await equal();
    toldEverything();
  });

  test('every error status of a watch is survived', async () => {
    await start();
    for (const fault of [
      { status: 401 },
      { status: 403 },
      { status: 404 },
      { status: 429, retryAfter: 0 },
      { status: 500 },
      { status: 503 },
    ]) {
      double.failNext('watch', fault);
      double.failNext('watch', fault);
      double.endWatches();
      double.put('a', String(fault.status));
      await equal();
      await watching();
    }
    toldEverything();
  });

  test('a subscriber that throws disturbs neither the store nor its neighbours', async () => {
    await start();
    informer.subscribe(() => {
      throw new Error('broken subscriber');
    });
    const after = new Mirror(informer);
    double.put('a', '1');
    double.put('a', '2');
    await equal();
    toldEverything();
    expect(after.told.length).toBe(2);
  });

  test('an index function that throws leaves only its object out', async () => {
    double.put('bad');
    double.put('good');
    await start();
    await equal();
    expect(informer.store.by('letter', 'g').map((o) => o.metadata.name)).toEqual(['good']);
    expect(informer.store.by('letter', 'b')).toEqual([]);
    expect(() => informer.store.by('colour', 'red')).toThrow('no index colour');
  });

  test('watches of several namespaces fill one store', async () => {
    double.put('a', '', 'team-a');
    double.put('b', '', 'team-b');
    double.put('c', '', 'team-c');
    await start({ namespaces: ['team-a', 'team-b'] }, 2);
    expect(informer.store.list().map((o) => o.metadata.name)).toEqual(['a', 'b']);
    expect(informer.store.list('team-b').map((o) => o.metadata.name)).toEqual(['b']);
  });
});
