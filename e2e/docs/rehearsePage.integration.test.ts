import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { parseCommand } from '@slipway/operator/cli/arguments.ts';
import { type ConnectedCommand, run } from '@slipway/operator/cli/commands.ts';
import { type Connection, connect } from '@slipway/operator/kube/connect.ts';
import { resource } from '@slipway/operator/kube/resource.ts';
import type { KubeObject } from '@slipway/operator/kube/wire.ts';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { blocksOf, shownIn, tableOf } from './page.ts';

const namespaces = resource<KubeObject>('', 'v1', 'Namespace', 'namespaces', false);
const namespace = `rehearse-${randomUUID().slice(0, 8)}`;
const FILES: Readonly<Record<string, string>> = { yaml: 'flights.yaml', json: 'traffic.jsonl', csv: 'traffic.csv' };

const page = await readFile(join(repositoryRoot, 'docs', 'rehearse.md'), 'utf8');
const blocks = blocksOf(page);
let connection: Connection;
let folder: string;

beforeAll(async () => {
  connection = await connect({ kubeconfig: inject('kubeconfig') });
  await connection.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  folder = await mkdtemp(join(tmpdir(), 'slipway-rehearse-'));
  for (const { language, text } of blocks.filter(({ use }) => use === 'manifest' || use === 'record'))
    await writeFile(join(folder, FILES[language] ?? ''), text);
});
afterAll(async () => {
  await connection.close();
  await rm(folder, { recursive: true, force: true });
});

/** The words of a command line behind `kubectl slipway`, with the files of the page where they are. */
const wordsOf = (text: string): string[] =>
  text
    .trim()
    .split(/\s+/)
    .slice(2)
    .map((word) => Object.values(FILES).reduce((now, file) => now.replace(file, join(folder, file)), word));

async function printed(words: readonly string[]): Promise<string> {
  const lines: string[] = [];
  const command = parseCommand([...words, '-n', namespace]) as ConnectedCommand;
  const code = await run(command, {
    client: connection.client,
    namespace,
    print: (more) => void lines.push(...more),
    complain: (sentence) => void lines.push(sentence),
    now: () => new Date(),
    sleep: () => Promise.resolve(),
    signal: new AbortController().signal,
  });
  expect(code).toBe(0);
  return lines.join('\n');
}

test.each(shownIn(blocks).map(({ command, printed: shown }) => [command.text.trim(), shown] as const))(
  '%s prints what the page shows',
  { timeout: 60_000 },
  async (line, shown) => {
    expect(await printed(wordsOf(line))).toBe(shown.text.trimEnd());
  },
);

test('the object of the page has the fields that it names', { timeout: 60_000 }, async () => {
  const [line] = blocks.filter(({ use }) => use === 'json');
  const answer = JSON.parse(await printed(wordsOf(line?.text ?? '')));
  const [named = ''] = /`-o json` all of it is one object, [^:]+:/.exec(page) ?? [];
  expect(Object.keys(answer)).toEqual([...named.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect(answer.asRecorded[0]).toMatchObject({ name: 'errors', verdict: 'Fail', limit: '2%' });
  expect(answer.asRecorded[0].failsAt).toMatch(/^2030-01-01T00:05:/);
  expect(answer.resampled).toMatchObject({ runs: 10 });
});

test('the command of the page that asks a Prometheus is one, and asks it', async () => {
  const [line] = blocks.filter(({ use }) => use === 'prometheus');
  expect(parseCommand(wordsOf(line?.text ?? ''))).toMatchObject({
    verb: 'rehearse',
    recorded: { kind: 'prometheus', server: 'http://localhost:9090', sinceSeconds: 86_400, intervalSeconds: 15 },
  });
  const words = ['rehearse', '-f', join(folder, 'flights.yaml'), '--prometheus=http://127.0.0.1:1'];
  await expect(printed(words)).rejects.toThrow('http://127.0.0.1:1 can not be asked: ECONNREFUSED');
});

test('the page tells every field of a record', () => {
  const fields = tableOf(page, 'Field of a line', 'Meaning', 'Where it is left out').map(([cell]) => cell ?? '');
  const named = fields.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect(named.sort()).toEqual(['arm', 'bad', 'invalid', 'right', 'slower', 'time', 'total', 'wrong']);
});
