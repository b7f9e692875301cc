#!/usr/bin/env node
import { forbidTelemetry } from '../onnx/telemetry.ts';
import { CHILD_MARKER } from './engine/node/messages.ts';
import { restartBounded } from './restart.ts';

/** Parts that start as threads of their own: modules beside this one, or files of the bundle that this one is in. */
const isSource = import.meta.url.endsWith('.ts');
const part = (source: string, bundle: string): URL => new URL(isSource ? source : bundle, import.meta.url);

/** One program for the server and for the processes that run models for it. Each loads only its own half. */
forbidTelemetry();
if (process.argv.includes(CHILD_MARKER)) {
  const { childMain } = await import('./engine/node/childMain.ts');
  await childMain();
} else {
  restartBounded(process.env);
  const { serve } = await import('./serve.ts');
  await serve({
    env: process.env,
    args: process.argv.slice(2),
    child: new URL(import.meta.url),
    watcher: part('./observe/thread/entry.ts', './watcher.mjs'),
    parser: part('./protocol/parser/entry.ts', './parser.mjs'),
  });
}
