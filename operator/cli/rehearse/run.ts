import { readFile, writeFile } from 'node:fs/promises';
import type { InferenceService } from '../../src/api/kinds.ts';
import { thresholdsOf } from '../../src/domain/guards/rehearsal/model.ts';
import type { Recording } from '../../src/domain/guards/rehearsal/record.ts';
import type { Stored } from '../../src/kube/wire.ts';
import { rangeQueryWithin } from '../../src/measure/prometheus/rangeQuery.ts';
import { recordedTraffic } from '../../src/measure/prometheus/recordedTraffic.ts';
import { UsageError } from '../usageError.ts';
import type { Recorded, Rehearsing } from './arguments.ts';
import { rehearsalLines } from './lines.ts';
import { readRecord, recordText } from './recordFile.ts';
import { replay } from './replayed.ts';
import { replayLines } from './replayLines.ts';
import { whatIf } from './whatIf.ts';

interface World {
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** A day of a busy service is many points. */
const PATIENCE_MS = 60_000;

async function fromPrometheus(
  recorded: Extract<Recorded, { kind: 'prometheus' }>,
  { metadata, spec }: Stored<InferenceService>,
  { now, signal }: World,
): Promise<Recording> {
  const { server, sinceSeconds, intervalSeconds: step, candidate, record } = recorded;
  const end = Math.floor(now().getTime() / 1000 / step) * step;
  const question = {
    server,
    namespace: metadata.namespace ?? '',
    service: metadata.name,
    model: spec.model.name,
    candidate,
    thresholds: [...new Set(thresholdsOf(spec.rollout.guards ?? []))],
    range: { start: end - sinceSeconds, end, step },
  };
  const recording = await recordedTraffic(question, rangeQueryWithin(PATIENCE_MS), signal);
  if (record !== undefined) await writeFile(record, recordText(recording));
  return recording;
}

async function fromFile(path: string): Promise<Recording> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${path} can not be read: ${error.code === 'ENOENT' ? 'there is no such file' : error.code}`);
  });
  return readRecord(text, path);
}

/** What `rehearse` prints: a what-if, or recorded traffic played back. */
export async function rehearsed(
  question: Rehearsing,
  service: Stored<InferenceService>,
  world: World,
): Promise<readonly string[]> {
  const { rollout } = service.spec;
  const { recorded, json, runs, mostSeconds } = question;
  if (recorded === undefined) {
    const asked = { ...question, rollout, perSecond: question.perSecond ?? 1 };
    const answer = whatIf(asked);
    return json ? [JSON.stringify(answer)] : rehearsalLines(asked, answer);
  }
  const recording =
    recorded.kind === 'file' ? await fromFile(recorded.path) : await fromPrometheus(recorded, service, world);
  const answer = replay({ rollout, recording, runs, mostSeconds });
  return json ? [JSON.stringify(answer)] : replayLines(rollout, answer);
}
