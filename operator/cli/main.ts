import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import program from '../package.json' with { type: 'json' };
import { contextNamespace } from '../src/kube/config.ts';
import { connect } from '../src/kube/connect.ts';
import { ApiError } from '../src/kube/errors.ts';
import { parseCommand, USAGE } from './arguments.ts';
import { type ConnectedCommand, run } from './commands.ts';
import { judgeByHand, rateLines } from './rate.ts';
import { paint, wantsColour } from './render/colour.ts';
import { UsageError } from './usageError.ts';

const complain = (sentence: string): void => {
  process.stderr.write(`${sentence}\n`);
};
const colour = wantsColour(process.stdout.isTTY === true, process.env['NO_COLOR']);
const print = (lines: readonly string[]): void => {
  process.stdout.write(lines.map((line) => `${colour ? paint(line) : line}\n`).join(''));
};

/** Cursor home, each line to its end, and what is left of the screen cleared: no flicker, as nothing is blanked first. */
const redraw = (lines: readonly string[]): void => {
  const painted = lines.map((line) => `${colour ? paint(line) : line}\u001b[K\n`).join('');
  process.stdout.write(`\u001b[H${painted}\u001b[J`);
};

/** The file that kubectl would read: the flag, the first of $KUBECONFIG that exists, or the user's own. */
function kubeconfigOf(flag: string | undefined): string {
  const listed = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  const path = flag ?? listed.find((p) => existsSync(p)) ?? listed[0] ?? join(homedir(), '.kube', 'config');
  if (!existsSync(path)) throw new UsageError(`There is no kubeconfig at ${path}: name one with --kubeconfig FILE.`);
  return path;
}

async function runConnected(command: ConnectedCommand): Promise<number> {
  const kubeconfig = kubeconfigOf(command.kubeconfig);
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  const { signal } = interrupted;
  const { context } = command;
  const connection = await connect({ kubeconfig, context }).catch((error: unknown) => {
    if (error instanceof ApiError && error.reason === 'Unreachable')
      throw new Error(`${error.message}: is ${kubeconfig} that of a cluster that is up? Try kubectl cluster-info`);
    throw error;
  });
  const sleep = (ms: number): Promise<void> => delay(ms, undefined, { signal }).catch(() => {});
  try {
    const namespace = contextNamespace(kubeconfig, context);
    return await run(command, {
      client: connection.client,
      namespace,
      print,
      redraw: process.stdout.isTTY === true ? redraw : undefined,
      complain,
      sleep,
      signal,
      now: () => new Date(),
    });
  } catch (error) {
    if (signal.aborted) return 130;
    throw error;
  } finally {
    await connection.close();
  }
}

/** What a policy of ours refuses with is a sentence already; the API server puts the names of the policy before it. */
const withoutPolicy = (message: string): string =>
  message.replace(/^.* ValidatingAdmissionPolicy .* denied request: /, '');

/** As sysexits.h has it: the command line means nothing. */
const USAGE_STATUS = 64;

/** Exit status: 0 done, 1 not done or out of reach, 2 not done in time, 64 the command line means nothing. */
async function main(): Promise<number> {
  try {
    const command = parseCommand(process.argv.slice(2));
    if (command.verb === 'help') print([USAGE]);
    else if (command.verb === 'version') print([program.version]);
    else if (command.verb === 'rate') {
      const answer = judgeByHand(command.question);
      if (command.json) process.stdout.write(`${JSON.stringify(answer)}\n`);
      else print(rateLines(answer, command.question));
    } else return await runConnected(command);
    return 0;
  } catch (error) {
    complain(withoutPolicy(error instanceof Error ? error.message : String(error)));
    return error instanceof UsageError ? USAGE_STATUS : 1;
  }
}

process.exitCode = await main();
