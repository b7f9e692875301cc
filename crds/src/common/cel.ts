import type * as z from 'zod';

/** A rule the API server checks (CEL) with the same rule in TypeScript, so that a tool can check a manifest offline. */
export interface CelRule<T> {
  /** CEL over `self`. Everything it reaches must be bounded, or the server's static cost estimate refuses the CRD. */
  readonly rule: string;
  /** What to write instead: the server shows it after the field's path. */
  readonly message: string;
  readonly holds: (self: T) => boolean;
}

/** A rule over `self` and `oldSelf`: the server checks it on updates only, so it has no offline half. */
export interface TransitionRule {
  readonly rule: string;
  readonly message: string;
}

const EXTENSION = 'x-kubernetes-validations';

const announce = <S extends z.ZodType>(schema: S, rules: readonly TransitionRule[]): S => {
  const before = (schema.meta()?.[EXTENSION] ?? []) as readonly TransitionRule[];
  return schema.meta({ [EXTENSION]: [...before, ...rules.map(({ rule, message }) => ({ rule, message }))] });
};

/** Attaches rules to a schema: as x-kubernetes-validations for the server and as refinements for zod. Call it last; `.extend()` drops both. */
export const cel = <S extends z.ZodType>(schema: S, ...rules: readonly CelRule<z.output<S>>[]): S =>
  announce(
    schema.superRefine((self, context) => {
      for (const { message, holds } of rules) if (!holds(self)) context.addIssue({ code: 'custom', message });
    }),
    rules,
  );

/** Attaches rules about changes, e.g. immutability. Call it after cel(). */
export const onUpdate = <S extends z.ZodType>(schema: S, ...rules: readonly TransitionRule[]): S =>
  announce(schema, rules);

/** A regular expression as a rule. RE2 syntax without flags, as CEL's matches() knows no other. */
export const matches = (pattern: RegExp, message: string): CelRule<string> => ({
  rule: `self.matches(r'${pattern.source.replaceAll('\\/', '/')}')`,
  message,
  holds: (self) => pattern.test(self),
});
