import { METRICS } from '@slipway/crds/contract';
import { PROTOCOLS, REQUEST_OUTCOMES } from '../outcome.ts';
import type { EvidenceSnapshot, Histogram } from '../snapshot.ts';
import type { Family, Write } from './family.ts';
import type { ScrapedModel } from './model.ts';

/** Requests, runs, queue and cache. */
export const TRAFFIC_FAMILIES: readonly Family[] = [
  {
    name: METRICS.requests,
    type: 'counter',
    help: 'Answers to model requests, by outcome: ok, clientError, serverError, shed.',
    write({ labels, snapshot }, write) {
      for (const outcome of REQUEST_OUTCOMES) {
        for (const protocol of PROTOCOLS) {
          write.sample({ ...labels, outcome, protocol }, snapshot.requests[outcome][protocol]);
        }
      }
    },
  },
  seconds(METRICS.latency, 'latency', 'Seconds from the last byte of a served request to its answer.'),
  seconds(METRICS.decode, 'decode', 'Seconds in which a request was read into tensors.'),
  seconds(METRICS.queue, 'queue', 'Seconds for which a request waited for the engine.'),
  seconds(METRICS.compute, 'compute', 'Seconds of the run that a request was part of.'),
  seconds(METRICS.encode, 'encode', 'Seconds in which an answer was written.'),
  {
    name: METRICS.batchRows,
    type: 'histogram',
    help: 'Rows of a successful run.',
    write: ({ labels, snapshot: { batchRows } }, write) => writeHistogram(write, labels, batchRows, 1),
  },
  gauge(METRICS.waiting, 'Requests that wait for the engine.', ({ scheduler }) => scheduler.waiting),
  gauge(METRICS.running, 'Runs under way.', ({ scheduler }) => scheduler.running),
  gauge(
    METRICS.saturation,
    'Waiting requests over the rows that the engine can take at once (instances x maxSize); scale out above 1.',
    ({ scheduler, served: { settings } }) =>
      scheduler.waiting / (settings.engine.instances * settings.batching.maxSize),
  ),
  {
    name: METRICS.shed,
    type: 'counter',
    help: 'Requests refused unserved, by reason: overloaded (the queue was full), tooLate (the deadline could not be met).',
    write({ labels, scheduler: { overloaded, tooLate } }, write) {
      write.sample({ ...labels, reason: 'overloaded' }, overloaded);
      write.sample({ ...labels, reason: 'tooLate' }, tooLate);
    },
  },
  {
    name: METRICS.cancelled,
    type: 'counter',
    help: 'Requests whose caller left before the answer, by where they were: queued, running.',
    write({ labels, scheduler: { cancelledQueued, cancelledRunning } }, write) {
      write.sample({ ...labels, stage: 'queued' }, cancelledQueued);
      write.sample({ ...labels, stage: 'running' }, cancelledRunning);
    },
  },
  counter(METRICS.failedRuns, 'Runs that failed.', ({ scheduler }) => scheduler.failedRuns),
  {
    name: METRICS.cache,
    type: 'counter',
    help: 'Look-ups of answers, by result: hit, miss, shared (an equal request was under way).',
    write({ labels, scheduler: { cacheHits, cacheMisses, shared } }, write) {
      write.sample({ ...labels, result: 'hit' }, cacheHits);
      write.sample({ ...labels, result: 'miss' }, cacheMisses);
      write.sample({ ...labels, result: 'shared' }, shared);
    },
  },
  counter(METRICS.invalid, 'Answers that held NaN or an infinity.', ({ counts }) => counts.invalid ?? 0),
  counter(
    METRICS.nonFinite,
    'Values in answers that were NaN or an infinity.',
    ({ snapshot }) => snapshot.nonFiniteValues,
  ),
  counter(METRICS.rows, 'Rows of successful runs.', ({ snapshot }) => snapshot.inferenceCount),
  {
    name: METRICS.shadow,
    type: 'counter',
    help: 'Requests copied to a candidate, by result: agreed, disagreed, skipped, failed.',
    write({ labels, shadow }, write) {
      if (shadow === undefined) return;
      const { compared, disagreed, skipped, failed } = shadow;
      const results = { agreed: compared - disagreed, disagreed, skipped, failed };
      for (const [result, count] of Object.entries(results)) write.sample({ ...labels, result }, count);
    },
  },
  {
    name: METRICS.info,
    type: 'gauge',
    help: 'Always 1; the labels say what this process serves.',
    write: ({ labels, served }, write) => write.sample({ ...labels, digest: served.identity.digest }, 1),
  },
  {
    name: METRICS.engine,
    type: 'gauge',
    help: 'Always 1; the labels say which backend runs the model, and which provider comes first of those in use.',
    write({ labels, served }, write) {
      const { backend, providers } = served.settings.engine;
      write.sample({ ...labels, backend, provider: providers[0] ?? 'cpu' }, 1);
    },
  },
];

function counter(name: string, help: string, value: (model: ScrapedModel) => number): Family {
  return { name, type: 'counter', help, write: (model, write) => write.sample(model.labels, value(model)) };
}

function gauge(name: string, help: string, value: (model: ScrapedModel) => number): Family {
  return { name, type: 'gauge', help, write: (model, write) => write.sample(model.labels, value(model)) };
}

function seconds(name: string, phase: keyof EvidenceSnapshot['durations'], help: string): Family {
  return {
    name,
    type: 'histogram',
    help,
    write: ({ labels, snapshot }, write) => writeHistogram(write, labels, snapshot.durations[phase], 1000),
  };
}

/** `unit`: how many of the histogram's units make one of Prometheus'. */
function writeHistogram(write: Write, labels: ScrapedModel['labels'], histogram: Histogram, unit: number): void {
  const bounds = histogram.bounds.map((bound) => bound / unit);
  write.histogram(labels, bounds, histogram.counts, histogram.sum / unit);
}
