import { describe, expect, test } from 'vitest';
import { Failure } from '../../artifact/failure.ts';
import type { FoundModel } from './modelFolder.ts';
import { type LoadedModel, Repository } from './repository.ts';
import type { ServedModel } from './servedModel.ts';

/** A folder whose contents a test changes, and what became of each model that was opened. */
function folderOf(...first: string[]) {
  const events: string[] = [];
  const gates: (() => void)[] = [];
  const folder = { found: first, broken: undefined as string | undefined, slow: false };
  const open = async ({ name, version }: FoundModel): Promise<LoadedModel> => {
    const id = `${name}/${version}`;
    events.push(`open ${id}`);
    if (folder.slow) await new Promise<void>((resolve) => gates.push(resolve));
    if (folder.broken === id) throw new Failure('ModelInvalid', `${id} is broken.`);
    const model = { identity: { name, version, digest: '' } } as ServedModel;
    return { model, close: async () => void events.push(`close ${id}`) };
  };
  const find = async () =>
    folder.found.map((id): FoundModel => {
      const [name = '', version = ''] = id.split('/');
      return { name, version, path: id, bare: false };
    });
  const linger = async () => void events.push('linger');
  const repository = (versions: 'Newest' | 'All' = 'Newest') =>
    new Repository({ find, open, versions, controllable: true, linger });
  return { folder, events, gates, repository };
}

const versionFound = (repository: Repository, name: string, version?: string) =>
  repository.find(name, version)?.identity.version;

test('serves the newest version of each model, and only that', async () => {
  const { repository, events } = folderOf('a/1', 'a/2', 'b/1');
  const models = repository();
  await models.start();
  expect(events).toEqual(['open a/2', 'open b/1']);
  expect([versionFound(models, 'a'), versionFound(models, 'a', '2'), versionFound(models, 'a', '1')]).toEqual([
    '2',
    '2',
    undefined,
  ]);
  expect([models.names(), models.versions('a'), models.versions('c')]).toEqual([['a', 'b'], ['2'], []]);
});

test('kserve#2358: serves every version where that is asked for; one without a number gets the newest', async () => {
  const { repository } = folderOf('a/1', 'a/2');
  const models = repository('All');
  await models.start();
  expect([versionFound(models, 'a'), versionFound(models, 'a', '1')]).toEqual(['2', '1']);
});

test('a new version is whole before the old one goes, and the old one lingers before it ends', async () => {
  const { repository, folder, events, gates } = folderOf('a/1');
  const models = repository();
  await models.start();
  folder.found = ['a/1', 'a/2'];
  folder.slow = true;
  const loading = models.load('a');
  await turns();
  expect([versionFound(models, 'a'), models.index()]).toEqual([
    '1',
    [
      { name: 'a', version: '1', state: 'READY', reason: '' },
      { name: 'a', version: '2', state: 'LOADING', reason: '' },
    ],
  ]);
  gates.shift()?.();
  await loading;
  expect(versionFound(models, 'a')).toBe('2');
  await turns();
  expect(events).toEqual(['open a/1', 'open a/2', 'linger', 'close a/1']);
  expect(models.index()).toEqual([{ name: 'a', version: '2', state: 'READY', reason: '' }]);
});

test('changes of one name wait for each other, those of others do not', async () => {
  const { repository, folder, events, gates } = folderOf('a/1', 'b/1');
  folder.slow = true;
  const models = repository();
  const both = [models.load('a'), models.load('a')];
  const other = models.load('b');
  await turns();
  expect(events).toEqual(['open a/1', 'open b/1']);
  gates.shift()?.();
  gates.shift()?.();
  await other;
  await turns();
  gates.shift()?.();
  await Promise.all(both);
  await turns();
  expect(events).toEqual(['open a/1', 'open b/1', 'open a/1', 'linger', 'close a/1']);
});

describe('a version that can not be loaded', () => {
  test('leaves the old one answering and says why', async () => {
    const { repository, folder } = folderOf('a/1');
    const models = repository();
    await models.start();
    folder.found = ['a/2'];
    folder.broken = 'a/2';
    await expect(models.load('a')).rejects.toThrow('a/2 is broken.');
    expect(versionFound(models, 'a')).toBe('1');
    expect(models.index()[1]).toEqual({ name: 'a', version: '2', state: 'UNAVAILABLE', reason: 'a/2 is broken.' });
    expect([models.knows('a', '2'), models.knows('a', '3')]).toEqual([true, false]);
  });

  test('keeps the server from starting, and lets no other version of its load stay open', async () => {
    const { repository, folder, events } = folderOf('a/1', 'a/2');
    folder.broken = 'a/2';
    await expect(repository('All').start()).rejects.toThrow('a/2 is broken.');
    expect(events).toEqual(['open a/1', 'open a/2', 'close a/1']);
  });

  test('can be loaded when it has been mended', async () => {
    const { repository, folder } = folderOf('a/1');
    folder.broken = 'a/1';
    const models = repository();
    await expect(models.load('a')).rejects.toThrow();
    folder.broken = undefined;
    await models.load('a');
    expect(versionFound(models, 'a')).toBe('1');
  });
});

test('an unloaded model is found and known no more, and stands in the index', async () => {
  const { repository, events } = folderOf('a/1');
  const models = repository();
  await models.start();
  await models.unload('a');
  expect([models.find('a'), models.knows('a'), models.names()]).toEqual([undefined, false, []]);
  expect(models.index()).toEqual([{ name: 'a', version: '1', state: 'UNAVAILABLE', reason: 'unloaded' }]);
  expect(events).toEqual(['open a/1', 'linger', 'close a/1']);
  await models.load('a');
  expect(versionFound(models, 'a')).toBe('1');
});

test.each(['load', 'unload'] as const)('%s of a name that is not there says so', async (change) => {
  const models = folderOf('a/1').repository();
  await expect(models[change]('z')).rejects.toThrow(`There is no model "z" to ${change}.`);
});

test('closing ends every model after the changes under way, without lingering', async () => {
  const { repository, events } = folderOf('a/1', 'b/1');
  const models = repository();
  await models.start();
  await models.close();
  expect(events.slice(2).sort()).toEqual(['close a/1', 'close b/1']);
  expect(models.find('a')).toBeUndefined();
});

/** Lets everything that waits for nothing but promises go on. */
const turns = () => new Promise((resolve) => setImmediate(resolve));

test('a server that cannot start says which of several models is at fault', async () => {
  const { repository, folder } = folderOf('a/1', 'b/1');
  folder.broken = 'b/1';
  await expect(repository().start()).rejects.toMatchObject({
    reason: 'ModelInvalid',
    message: 'Model "b": b/1 is broken.',
  });
});
