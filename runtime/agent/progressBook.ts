import type { Progress } from '@slipway/crds/contract';
import { postedProgress } from './kubeflow.ts';
import type { ProgressReading } from './progress.ts';
import { readProgressFiles } from './progressFiles.ts';

/**
 * The trainer's progress from wherever it comes. The first source that a report was seen from is the only one asked from
 * then on: an image that reports in two ways would else jump back and forth between two counts.
 */
export class ProgressBook {
  readonly #statusDir: string;
  #source: 'File' | 'Post' | undefined;
  #posted: Progress | undefined;

  constructor(statusDir: string) {
    this.#statusDir = statusDir;
  }

  /** Takes the body of a progress POST. One that comes second to the files is judged, and not kept. */
  post(body: string): ProgressReading {
    const reading = postedProgress(body, this.#posted);
    if (reading.kind !== 'report') return reading;
    if (this.#source === undefined && readProgressFiles(this.#statusDir).kind === 'report') this.#source = 'File';
    this.#source ??= 'Post';
    this.#posted = reading.progress;
    return reading;
  }

  /** The last report, named by its source. */
  read(): ProgressReading {
    if (this.#source === 'Post' && this.#posted !== undefined) return report(this.#posted, 'Post');
    const reading = readProgressFiles(this.#statusDir);
    if (reading.kind !== 'report') return reading;
    this.#source = 'File';
    return report(reading.progress, 'File');
  }
}

const report = (progress: Progress, source: 'File' | 'Post'): ProgressReading => ({
  kind: 'report',
  progress: { ...progress, source },
});
