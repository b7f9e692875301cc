import { chmod } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { run } from '../command.ts';
import { cacheDirectory } from '../paths.ts';
import type { Log } from '../progress.ts';
import { cached } from './cached.ts';
import { download } from './download.ts';
import { goBuild, goToolKey } from './goBuild.ts';
import { installedAt } from './installed.ts';
import { type GoTool, type ToolName, toolNamed } from './tools.ts';

async function installed(name: string, { version }: GoTool): Promise<string | undefined> {
  const path = installedAt(name);
  if (path === undefined || version === undefined) return undefined;
  const answer = await run(path, version.args).catch(() => '');
  return version.expect.test(answer) ? path : undefined;
}

/** Node's names of platforms and processors in Go's words. */
const goArch: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

async function make(name: string, tool: GoTool, target: string, log: Log): Promise<void> {
  const url = tool.release?.(process.platform, goArch[process.arch] ?? process.arch);
  if (url !== undefined && (await download(url, target, log))) return;
  await goBuild(name, tool, target, log);
  await chmod(target, 0o755);
}

/**
 * Path of a program in the version the cluster needs: KUBEBUILDER_ASSETS and PATH, then the cache, then the official
 * release, then a build from the tool module.
 */
export async function findBinary(name: ToolName, log: Log): Promise<string> {
  const tool = toolNamed(name);
  const found = await installed(name, tool);
  if (found !== undefined) return found;
  const folder = join(cacheDirectory(), `${basename(tool.module)}-${await goToolKey(tool)}`);
  return cached(join(folder, name), (target) => make(name, tool, target, log));
}
