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
