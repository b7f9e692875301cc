import { join } from 'node:path';
import { run } from '@slipway/hack/local-cluster/command.ts';
import { until } from '@slipway/hack/local-cluster/until.ts';
import { expect, onTestFinished, test } from 'vitest';
import { writeFlights } from '../docs/flightsModel.ts';
import { blocksOf, serverPage, shownIn } from '../docs/page.ts';
import { modelFolder } from './server.ts';

const blocks = blocksOf(await serverPage());

test("the page's docker run gives the page's first answer within a minute", async () => {
  const [command, ...others] = blocks.filter(({ use }) => use === 'container');
  const [first] = shownIn(blocks);
  if (!command || !first || others.length > 0)
    throw new Error('The page shows one docker run, and an answer after it.');
  const folder = await modelFolder({});
  await writeFlights(join(folder, 'flights'));
  // In the background and on free ports.
  const script = command.text.replace('docker run', 'docker run --detach').replaceAll(/-p (\d+):/g, '-p 127.0.0.1::');
  const id = await run('bash', ['-c', script], { cwd: folder });
  onTestFinished(async () => void (await run('docker', ['rm', '--force', id])));
  const address = (await run('docker', ['port', id, '8080/tcp'])).trim();
  const ask = first.command.text.replace('localhost:8080', address);
  const answered = async () => JSON.parse(await run('bash', ['-c', ask])).rows && run('bash', ['-c', ask]);
  const answer = await until(answered, { timeoutMs: 60_000, what: 'the server answers' });
  expect(JSON.parse(answer)).toEqual(JSON.parse(first.printed.text));
});
