/**
 * What keeps pods off a node. Nodes with the same `text` are told together: "3 have 40Gi < 80Gi". `passing`: it may go
 * away while the node stays as it is (pods end, it is uncordoned); otherwise only another node helps.
 */
export interface Obstacle {
  readonly verb: keyof typeof VERBS;
  readonly text: string;
  readonly passing: boolean;
}

const VERBS = { be: ['is', 'are'], have: ['has', 'have'], lack: ['lacks', 'lack'] } as const;

export const lasting = (verb: Obstacle['verb'], text: string): Obstacle => ({ verb, text, passing: false });
export const passing = (verb: Obstacle['verb'], text: string): Obstacle => ({ verb, text, passing: true });

const CLASSES = 8;

/** "3 have 40Gi < 80Gi; 1 is cordoned", the commonest first. Rare ones beyond the eighth are only counted. */
export function sentenceOf(obstacles: readonly Obstacle[]): string {
  const counts = new Map<string, { readonly obstacle: Obstacle; n: number }>();
  for (const obstacle of obstacles) {
    const key = `${obstacle.verb} ${obstacle.text}`;
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { obstacle, n: 1 });
    else known.n += 1;
  }
  const classes = [...counts.values()].sort((a, b) => b.n - a.n || (a.obstacle.text < b.obstacle.text ? -1 : 1));
  const told = classes
    .slice(0, CLASSES)
    .map(({ obstacle: { verb, text }, n }) => `${n} ${VERBS[verb][n === 1 ? 0 : 1]} ${text}`);
  const rest = classes.slice(CLASSES).reduce((sum, { n }) => sum + n, 0);
  return [...told, ...(rest === 0 ? [] : [`${rest} do not fit for other reasons`])].join('; ');
}
