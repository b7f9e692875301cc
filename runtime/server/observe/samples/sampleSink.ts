import { randomUUID } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import type { ServingSettings } from '@slipway/crds/serving';
import { Failure, sentenceOf } from '../../../artifact/failure.ts';
import { Outbox, type OutboxCounts } from '../outbox.ts';
import { Post } from '../post.ts';
import { RotatingFile } from './rotatingFile.ts';
import type { Sample } from './sample.ts';

export type SampleSettings = NonNullable<ServingSettings['samples']>;

/** Where samples go. What can't be taken is dropped and counted. */
export interface SampleSink {
  put(sample: Sample): void;
  readonly counts: OutboxCounts;
  close(): Promise<void>;
}

const MIB = 1024 * 1024;
const BATCH = { maxItems: 65_536, batchItems: 256, intervalMs: 1000 };
/** Lines on their way to a file; more only wait where the disk does. */
const MOST_FILE_BYTES = 16 * MIB;

export function openSampleSink(settings: SampleSettings, random: () => number): SampleSink {
  return settings.file === undefined ? httpSink(settings, random) : fileSink(settings.file, settings.maxBytes, random);
}

/** Throws Failure ConfigurationInvalid where the file can't be written: said at the start, and not by missing samples. */
export function checkSampleFile({ file }: SampleSettings): void {
  if (file === undefined) return;
  try {
    closeSync(openSync(file, 'a', 0o600));
  } catch (error) {
    throw new Failure('ConfigurationInvalid', `samples.file can't be written: ${sentenceOf(error)}.`);
  }
}

/** One JSON line a sample. */
function fileSink(path: string, maxBytes: number, random: () => number): SampleSink {
  const file = new RotatingFile(path, maxBytes);
  const outbox = new Outbox<string>({
    ...BATCH,
    maxBytes: Math.max(maxBytes, MOST_FILE_BYTES),
    batchBytes: Math.min(maxBytes, MIB),
    random,
    deliver: (lines) => file.append(lines),
  });
  return sinkOver(
    outbox,
    (sample) => `${JSON.stringify(sample)}\n`,
    () => file.close(),
  );
}

/** A batch of CloudEvents (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md#4). */
function httpSink({ url, maxBytes }: SampleSettings, random: () => number): SampleSink {
  const post = new Post(new URL(url as string), 'application/cloudevents-batch+json');
  const outbox = new Outbox<string>({
    ...BATCH,
    maxBytes,
    batchBytes: Math.min(maxBytes, MIB),
    random,
    deliver: (events, signal) => post.send(`[${events.join(',')}]`, signal),
  });
  return sinkOver(outbox, cloudEvent, async () => post.close());
}

/** The id is made once: a receiver can tell a batch that came twice. */
const cloudEvent = (sample: Sample): string =>
  JSON.stringify({
    specversion: '1.0',
    type: 'dev.slipway.sample',
    source: `/slipway/models/${encodeURIComponent(sample.model)}/versions/${encodeURIComponent(sample.version)}`,
    id: randomUUID(),
    time: sample.time,
    datacontenttype: 'application/json',
    data: sample,
  });

function sinkOver(outbox: Outbox<string>, encode: (sample: Sample) => string, end: () => Promise<void>): SampleSink {
  return {
    put(sample) {
      const text = encode(sample);
      outbox.offer(text, Buffer.byteLength(text));
    },
    get counts() {
      return outbox.counts;
    },
    async close() {
      await outbox.close();
      await end();
    },
  };
}
