import { ADMIN_PATHS, type Baseline, type Evidence } from '@slipway/crds/contract';
import type { FetchText } from '../src/measure/fetchText.ts';
import { evidenceDocument } from './evidenceDocument.ts';
import { type FlightRow, flightCounts } from './flightRows.ts';
import { digestOf } from './servedModels.ts';

/** Pods of a version of the flight model, as the drift watch sees them: each its own process, all asked about `rows`. */
export class CountingPods {
  /** Times that a pod was read. */
  reads = 0;
  /** false: no pod answers. */
  answering = true;
  /** false: the pods count against the baseline, and do not give it. */
  givesBaseline = true;
  baseline: Baseline | undefined;
  /** Changes what the pods report. */
  distort: (evidence: Evidence) => Evidence = (evidence) => evidence;
  readonly #now: () => Date;
  readonly #digests = new Map<string, string>();
  readonly #startedAt: string;
  #rows: FlightRow[] = [];

  constructor(baseline: Baseline, now: () => Date) {
    this.baseline = baseline;
    this.#now = now;
    this.#startedAt = now().toISOString();
  }

  /** More rows that every pod is asked about. */
  ask(rows: readonly FlightRow[]): void {
    this.#rows.push(...rows);
  }

  /** The next pods that are met run this minor version, and have been asked nothing. */
  runs(minor: number): void {
    this.#minor = minor;
    this.#rows = [];
  }
  #minor = 0;

  readonly fetchText: FetchText = async (url, token) => {
    const { hostname, pathname } = new URL(url);
    if (!this.answering || token !== 'secret') return undefined;
    if (pathname === ADMIN_PATHS.baseline) {
      return this.givesBaseline && this.baseline ? JSON.stringify(this.baseline) : undefined;
    }
    this.reads += 1;
    const digest = this.#digests.get(hostname) ?? digestOf(this.#minor);
    this.#digests.set(hostname, digest);
    return JSON.stringify(this.distort(this.#evidence(hostname, digest)));
  };

  #evidence(epoch: string, digest: string): Evidence {
    return evidenceDocument({
      epoch,
      startedAt: this.#startedAt,
      at: this.#now().toISOString(),
      model: { name: 'flights', version: `1.${this.#minor}.0`, digest },
      ...(this.baseline && flightCounts(this.baseline, this.#rows)),
    });
  }
}
