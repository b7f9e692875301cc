/** What may stand in a query of the user's. */
export interface QueryVariables {
  readonly namespace: string;
  readonly service: string;
  /** Revision of the candidate. */
  readonly revision: string;
  /** Revision of the stable version; empty: there is none. */
  readonly stable: string;
  /** Version of the candidate. */
  readonly version: string;
  /** Time since the step began, as PromQL writes it: `90s`. */
  readonly window: string;
}

const VARIABLE = /\$(namespace|service|revision|stable|version|window)\b/g;

/** Fills the variables in. A name that is none stays, and Prometheus says what it thinks of it. */
export const fillIn = (query: string, variables: QueryVariables): string =>
  query.replaceAll(VARIABLE, (_whole, name: keyof QueryVariables) => variables[name]);

/** Whole seconds, at least one: PromQL knows no empty range. */
export const windowText = (ms: number): string => `${Math.max(1, Math.floor(ms / 1000))}s`;
