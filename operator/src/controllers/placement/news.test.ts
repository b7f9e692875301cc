import { expect, test, vi } from 'vitest';
import type { Cluster } from '../../domain/placement/explain.ts';
import { ClusterNews } from './news.ts';

const at = (seconds: number): Date => new Date(seconds * 1000);
const signal = new AbortController().signal;

test('passes never wait for the cluster: who found it unseen or old is called once it was seen, and it is looked at once for all', async () => {
  const looks = [{ nodes: [] }, { nodes: [], unseen: true }] as Cluster[];
  const lookWithPods = vi.fn(async () => looks[lookWithPods.mock.calls.length - 1] as Cluster);
  const news = new ClusterNews({ lookWithPods });
  const [first, second] = [vi.fn(), vi.fn()];
  expect(news.seen(false, at(0), signal, first)).toBeUndefined();
  expect(news.seen(false, at(0), signal, second)).toBeUndefined();
  await vi.waitFor(() => expect(second).toHaveBeenCalledOnce());
  expect(first).toHaveBeenCalledOnce();
  expect(lookWithPods).toHaveBeenCalledOnce();

  expect(news.seen(false, at(29), signal, first)).toBe(looks[0]);
  expect(lookWithPods).toHaveBeenCalledOnce();
  expect(news.seen(false, at(30), signal, first)).toBe(looks[0]);
  await vi.waitFor(() => expect(first).toHaveBeenCalledTimes(2));
  expect(news.seen(false, at(31), signal, first)).toBe(looks[1]);
});

test('devices that can be claimed are looked at for those alone that ask for them', async () => {
  const lookWithPods = vi.fn(async (): Promise<Cluster> => ({ nodes: [] }));
  const news = new ClusterNews({ lookWithPods });
  const done = vi.fn();
  news.seen(true, at(0), signal, done);
  await vi.waitFor(() => expect(done).toHaveBeenCalledOnce());
  expect(lookWithPods.mock.calls).toEqual([[at(0), signal, true]]);
  expect(news.seen(false, at(1), signal, done)).toBeUndefined();
});

test('a look that fails ends nothing: what was seen stays, who waits is called, and the next look is made once it is due', async () => {
  const there: Cluster = { nodes: [], taken: new Map() };
  const looks = [there, new Error('the API server is gone'), there];
  const lookWithPods = vi.fn(async (): Promise<Cluster> => {
    const found = looks[lookWithPods.mock.calls.length - 1] as Cluster | Error;
    if (found instanceof Error) throw found;
    return found;
  });
  const news = new ClusterNews({ lookWithPods });
  const changed = vi.fn();
  for (const [time, calls] of [
    [0, 1],
    [30, 2],
  ] as const) {
    news.seen(false, at(time), signal, changed);
    await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(calls));
  }
  expect(news.seen(false, at(59), signal, changed)).toBe(there);
  expect(lookWithPods).toHaveBeenCalledTimes(2);
  news.seen(false, at(60), signal, changed);
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(3));
});

test('nodes that were never seen are told as unseen after a look that failed, and not asked for again at once', async () => {
  const lookWithPods = vi.fn(() => Promise.reject(new Error('no route to host')));
  const news = new ClusterNews({ lookWithPods });
  const changed = vi.fn();
  news.seen(false, at(0), signal, changed);
  await vi.waitFor(() => expect(changed).toHaveBeenCalledOnce());
  expect(news.seen(false, at(1), signal, changed)).toEqual({ nodes: [], unseen: true });
  expect(lookWithPods).toHaveBeenCalledOnce();
});

test('a pass that is given up takes away nothing that others saw', async () => {
  const there: Cluster = { nodes: [], taken: new Map() };
  const pass = new AbortController();
  const lookWithPods = vi.fn(async (_now: Date, given: AbortSignal): Promise<Cluster> => {
    if (given === signal) return there;
    pass.abort();
    return { nodes: [], unseen: true };
  });
  const news = new ClusterNews({ lookWithPods });
  const changed = vi.fn();
  news.seen(false, at(0), signal, changed);
  await vi.waitFor(() => expect(changed).toHaveBeenCalledOnce());
  news.seen(false, at(30), pass.signal, changed);
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(2));
  expect(news.seen(false, at(31), signal, changed)).toBe(there);
});
