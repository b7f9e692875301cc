import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { afterAll, expect, test } from 'vitest';
import { writeFlights } from './flightsModel.ts';
import { blocksOf, serverPage, shownIn } from './page.ts';
import { bashIn, serverStarted, withPorts } from './serverCommands.ts';

/** ONNX Runtime comes from the registry where npm has not kept it: 110 MB. */
const DOWNLOAD_MS = 180_000;

const blocks = blocksOf(await serverPage());
// Not below the checkout, in whose node_modules a package that the manifest forgot would be found.
const folder = await mkdtemp(join(tmpdir(), 'slipway-package-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

test(
  'the package that the page speaks of serves a folder where there is nothing else',
  async () => {
    const [packing, starting, ...others] = blocks.filter(({ use }) => use === 'package' || use === 'packed');
    const [first] = shownIn(blocks);
    if (!packing || !starting || !first || others.length > 0)
      throw new Error('The page packs, then starts what it packed.');
    await writeFlights(join(folder, 'flights'));
    await bashIn(repositoryRoot, packing.text.replace('make ', 'make --old-file .cache/npm '));
    await bashIn(folder, `cp "${join(repositoryRoot, 'dist')}"/slipway-server-*.tgz .`);
    const server = await serverStarted(folder, starting.text, { npm_config_prefer_offline: 'true' });
    try {
      const { stdout } = await bashIn(folder, withPorts(first.command.text, server.ports));
      expect(JSON.parse(stdout)).toEqual(JSON.parse(first.printed.text));
    } finally {
      await server.end();
    }
  },
  DOWNLOAD_MS,
);
