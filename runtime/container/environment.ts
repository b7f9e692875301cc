import { Failure } from '../artifact/failure.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The value of a variable that must be set. Throws Failure ConfigurationInvalid naming it. */
export function required(env: Environment, name: string): string {
  const value = env[name];
  if (value === undefined || value === '') throw new Failure('ConfigurationInvalid', `${name} must be set.`);
  return value;
}

/** A whole number from `min` to `max`, or `fallback` when unset. Throws Failure ConfigurationInvalid naming the range. */
export function integer(env: Environment, name: string, fallback: number, min: number, max: number): number {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && value >= min && value <= max) return value;
  throw new Failure('ConfigurationInvalid', `${name} must be a whole number from ${min} to ${max}, not "${text}".`);
}
