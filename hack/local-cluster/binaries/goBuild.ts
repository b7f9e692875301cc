import { readdir } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { run } from '../command.ts';
import { contentKeyOf } from '../contentKey.ts';
import { heartbeat, type Log } from '../progress.ts';
import { goCommand } from './go.ts';
import type { GoTool } from './tools.ts';

const buildFlags = ['-trimpath'];

/** What decides a tool's bytes: its module's files, its flags and the platform. */
export async function goToolKey(tool: GoTool): Promise<string> {
  const names = (await readdir(tool.module)).filter((name) => /\.(go|mod|sum)$/.test(name)).sort();
  const files = names.map((name) => join(tool.module, name));
  return contentKeyOf(files, [tool.ldflags, ...buildFlags, process.platform, arch()]);
}

/** Builds the tool into `target`. Go's own build cache makes an equal second build a relink. */
export async function goBuild(name: string, tool: GoTool, target: string, log: Log): Promise<void> {
  const go = await goCommand(tool.module, log);
  log(`building ${name} with Go (minutes when cold, seconds when Go has built it before)`);
  const stop = heartbeat(log, `building ${name}`);
  try {
    await run(go, ['build', ...buildFlags, '-ldflags', tool.ldflags, '-o', target, tool.package], {
      cwd: tool.module,
      environment: { CGO_ENABLED: '0' },
    });
  } finally {
    stop();
  }
}
