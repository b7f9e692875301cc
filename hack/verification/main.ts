import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { outdated } from '@slipway/hack/generation/main.ts';
import { CommandError, run } from '@slipway/hack/local-cluster/command.ts';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { houseFaults, type SourceFile } from './houseRules.ts';

interface Check {
  readonly name: string;
  /** What is wrong, one line each. */
  readonly faults: () => Promise<readonly string[]>;
}

/** A tool of node_modules that exits with 0 when all is well and says on stdout what is not. */
const tool =
  (name: string, ...args: readonly string[]) =>
  async (): Promise<readonly string[]> => {
    try {
      await run(join(repositoryRoot, 'node_modules', '.bin', name), args, { cwd: repositoryRoot });
      return [];
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return `${error.stdout}\n${error.stderr}`.trim().split('\n');
    }
  };

const ROOMS = ['crds', 'operator', 'runtime', 'hack', 'e2e', 'charts'];

async function sources(): Promise<SourceFile[]> {
  const listed = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: repositoryRoot });
  const paths = [...new Set(listed.split('\n'))];
  const read = async (path: string) => ({
    path,
    text: await readFile(join(repositoryRoot, path), 'utf8').catch(() => ''),
  });
  return Promise.all(paths.map(read));
}

const CHECKS: readonly Check[] = [
  {
    name: 'generated files are up to date',
    faults: async () => (await outdated()).map((path) => `${path} is out of date: run hack/generate`),
  },
  { name: 'format and lint', faults: tool('biome', 'check', '--error-on-warnings', '--colors=off') },
  { name: 'types', faults: tool('tsc', '-b', '--pretty', 'false') },
  { name: 'import directions', faults: tool('depcruise', '--config', '.dependency-cruiser.mjs', ...ROOMS) },
  { name: 'dead code', faults: tool('knip', '--no-progress') },
  { name: 'house rules', faults: async () => houseFaults(await sources()) },
];

async function verdictOf({ name, faults }: Check): Promise<{ clean: boolean; lines: readonly string[] }> {
  const start = Date.now();
  const found = await faults();
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  const clean = found.length === 0;
  return {
    clean,
    lines: [`${clean ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`, ...found.map((fault) => `     ${fault}`)],
  };
}

// Side by side, told in this order: the longest of them keeps one core busy.
let clean = true;
for (const verdict of CHECKS.map(verdictOf)) {
  const { clean: isClean, lines } = await verdict;
  for (const line of lines) console.log(line);
  clean &&= isClean;
}
process.exitCode = clean ? 0 : 1;
