import type { Prediction } from '@slipway/crds/contract';
import { Failure } from '../../artifact/failure.ts';

type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=';
type Cell = string | number;

interface Term {
  readonly column: string;
  readonly operator: Operator;
  readonly literal: Cell;
}

const TERM =
  /^\s*(?<column>[A-Za-z_][\w.-]*)\s*(?<operator>==|!=|<=|>=|<|>)\s*(?:(?<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|"(?<text>(?:[^"\\]|\\.)*)")\s*(?<and>&&|$)/;

/** Reads `<column> <op> <number or "text">`, joined by &&. Throws Failure EvaluationInvalid with what to write instead. */
export function parseSlice(expression: string): readonly Term[] {
  const terms: Term[] = [];
  let rest = expression;
  for (let more = true; more; ) {
    const match = TERM.exec(rest)?.groups;
    if (!match) throw invalid(expression, rest);
    const { column = '', operator, text, and } = match;
    const literal = text === undefined ? Number(match['number']) : text.replace(/\\(.)/g, '$1');
    terms.push({ column, operator: operator as Operator, literal });
    rest = rest.slice(TERM.exec(rest)?.[0].length);
    more = and === '&&';
  }
  return terms;
}

const invalid = (expression: string, rest: string): Failure =>
  new Failure(
    'EvaluationInvalid',
    `The slice ${expression} cannot be read from "${rest.trim()}" on: write <column> ==, !=, <, <=, > or >= and a number or "text", joined by &&, such as weekend == 1 && carrier == "AA".`,
  );

/** Columns that any prediction is sliced by, sorted. */
export const sliceColumns = (predictions: readonly Prediction[]): readonly string[] =>
  [...new Set(predictions.flatMap(({ slice }) => Object.keys(slice ?? {})))].sort();

/** Throws Failure EvaluationInvalid for a column that no prediction has, naming those there are. */
export function requireColumn(column: string, predictions: readonly Prediction[], gate: string): void {
  const columns = sliceColumns(predictions);
  if (columns.includes(column)) return;
  const there = columns.length > 0 ? `those there are: ${columns.join(', ')}` : 'they have none: write "slice" to each';
  throw new Failure('EvaluationInvalid', `Gate ${gate}: no prediction has a slice column "${column}"; ${there}.`);
}

/** Indexes of the predictions that a slice holds; a prediction without the column is in no slice of it. */
export function rowsOfSlice(expression: string, predictions: readonly Prediction[], gate: string): readonly number[] {
  const terms = parseSlice(expression);
  for (const { column } of terms) requireColumn(column, predictions, gate);
  return [...predictions.keys()].filter((i) =>
    terms.every((term) => holds(term, predictions[i]?.slice?.[term.column])),
  );
}

function holds({ operator, literal }: Term, cell: Cell | undefined): boolean {
  if (cell === undefined) return false;
  if (operator === '==') return isSame(cell, literal);
  if (operator === '!=') return !isSame(cell, literal);
  // Text against text goes by its order, as dates in ISO 8601 want it; text against a number is in no order.
  // An empty cell is a value that is missing, not 0.
  const [a, b] =
    typeof literal === 'string' ? [String(cell), literal] : [cell === '' ? Number.NaN : Number(cell), literal];
  return operator === '<' ? a < b : operator === '<=' ? a <= b : operator === '>' ? a > b : a >= b;
}

/** 1 and "1" are the same: whether a column was written as text is an accident of the exporter. */
const isSame = (cell: Cell, literal: Cell): boolean =>
  String(cell) === String(literal) || (cell !== '' && literal !== '' && Number(cell) === Number(literal));
