import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { temporaryFolder } from '@slipway/runtime/test/temporaryFolder.ts';
import { afterAll, describe, expect, test } from 'vitest';
import { writeFlights } from './flightsModel.ts';
import { type Block, blocksOf, serverPage, shownIn, tableOf } from './page.ts';
import { bashIn, type Ports, serverStarted, withPorts } from './serverCommands.ts';

const page = await serverPage();
const blocks = blocksOf(page);
const folder = await temporaryFolder('page');
await writeFlights(join(folder, 'flights'));

const one = (use: string): Block => {
  const found = blocks.filter((block) => block.use === use);
  expect(found).toHaveLength(1);
  return found[0] as Block;
};

const ends: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(ends.map((end) => end())));

/** The ports of a server that a command of the page starts. */
async function start(command: string): Promise<Ports> {
  const server = await serverStarted(folder, command);
  ends.push(() => server.end());
  return server.ports;
}

const bash = (script: string) => bashIn(folder, script);

const settings = one('settings');
const shown = shownIn(blocks);
const titled = (wanted: (line: number) => boolean) =>
  shown
    .filter(({ command }) => wanted(command.line))
    .map((example) => ({ ...example, title: `line ${example.command.line}: ${example.command.text.split('\n')[0]}` }));

async function expectShown({ command, printed }: (typeof shown)[number], ports: Ports): Promise<void> {
  const { stdout } = await bash(withPorts(command.text, ports));
  if (printed.language === 'json') expect(JSON.parse(stdout)).toEqual(JSON.parse(printed.text));
  else expect(stdout.trimEnd()).toBe(printed.text.trimEnd());
}

describe('a server started as the page says', async () => {
  // From the folder of the model instead of the checkout, and without a look at whether the packages are up to date.
  const make = `exec make --directory "${repositoryRoot}" --old-file .cache/npm `;
  const ports = await start(one('start').text.replace('make ', make));

  test.each(titled((line) => line < settings.line))('$title', (example) => expectShown(example, ports));

  test.each(tableOf(page, 'Body', 'Status', 'Error'))('%s is refused with %s', async (body, status, error) => {
    const path = `http://localhost:${ports.rest}/v2/models/flights/infer`;
    const answer = await fetch(path, { method: 'POST', body: (body as string).slice(1, -1) });
    expect([answer.status, await answer.json()]).toEqual([Number(status), { error }]);
  });
});

describe("a server with the page's settings", async () => {
  await bash(one('before').text);
  await writeFile(join(folder, 'settings.json'), settings.text);
  const ports = await start(one('configured').text);

  test.each(titled((line) => line > settings.line))('$title', (example) => expectShown(example, ports));
});

test('every command of the page is run somewhere', () => {
  const known = new Set(['', 'start', 'before', 'configured', 'container', 'gpu', 'package', 'packed']);
  expect(blocks.filter(({ language, use }) => language === 'sh' && !known.has(use))).toEqual([]);
  expect(shown.length).toBeGreaterThan(8);
});
