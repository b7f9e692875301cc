import type { Plan } from '../plan.ts';
import { TOTAL_WEIGHT } from '../weights.ts';
import type { HeaderRoute, RouteFacts } from '../world.ts';

interface Written {
  readonly weights: Readonly<Record<string, number>>;
  readonly routes: readonly HeaderRoute[];
}

export type GatewayMood = 'Prompt' | 'Slow' | 'Refusing';

/** A gateway: what was written to it, and what it does with requests, which is the same at once, later, or not at all. */
export class DataPlane {
  written: Written | undefined;
  inForce: Written | undefined;
  mood: GatewayMood = 'Prompt';
  /** Writes that changed something: a provider knows its own, however late the watch brings them. */
  writes = 0;

  write({ backends, routes }: Pick<Plan, 'backends' | 'routes'>): void {
    const next =
      backends.length === 0
        ? undefined
        : { weights: Object.fromEntries(backends.map((b) => [b.revision, b.weight])), routes };
    if (JSON.stringify(next) !== JSON.stringify(this.written)) this.writes += 1;
    this.written = next;
    if (this.mood === 'Prompt') this.catchUp();
  }

  catchUp(): void {
    if (this.mood !== 'Refusing') this.inForce = this.written;
  }

  facts(): RouteFacts {
    if (this.written === undefined) return { state: 'Absent' };
    if (this.mood === 'Refusing')
      return { state: 'Refused', reason: 'GatewayNotFound', message: 'There is no Gateway.' };
    return JSON.stringify(this.inForce) === JSON.stringify(this.written)
      ? { state: 'Programmed', ...this.written }
      : { state: 'Pending' };
  }

  /** Share of the requests that a revision gets. */
  shareOf(revision: string): number {
    return (this.inForce?.weights[revision] ?? 0) / TOTAL_WEIGHT;
  }

  /** Revisions that get any request, by weight or by header. */
  served(): readonly string[] {
    const { weights = {}, routes = [] } = this.inForce ?? {};
    return [...Object.keys(weights), ...routes.map(({ revision }) => revision)];
  }
}
