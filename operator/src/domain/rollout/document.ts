import { RULES } from './rules.ts';

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** docs/rollout-rules.md, generated from the rules themselves so that it can't tell anything else. */
export const rolloutRulesDocument = (): string =>
  [
    '# Rollout rules',
    '',
    '<!-- Generated from operator/src/domain/rollout/rules.ts. Do not edit: run `make generate`. -->',
    '',
    'Each pass over an InferenceService applies the first rule of this table that fits. A pass runs every second while a',
    'rollout is live, and on every change of what it watches.',
    '',
    row(['#', 'Rule', 'Phase', 'When', 'Then']),
    row(['---', '---', '---', '---', '---']),
    ...RULES.map(({ name, phase, when, effect }, i) => row([String(i + 1), name, phase, when, effect])),
    '',
  ].join('\n');
