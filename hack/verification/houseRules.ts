/** A text of the repository. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Text that may not stand in some files. */
interface HouseRule {
  readonly name: string;
  readonly in: RegExp;
  readonly except?: RegExp;
  readonly forbids: RegExp;
}

const TEST = /(\.test\.ts$|\/test\/|\/testing\/|\/tests\/|\/bench\/)/;

/** Letters that stand in brackets keep this file from breaking its own rules. */
export const HOUSE_RULES: readonly HouseRule[] = [
  {
    name: 'names a path of one machine',
    in: /./,
    forbids: /(?<![\w.$}/-])\/(work|root|home\/\w+|Users\/\w+)\/[\w.]/,
  },
  { name: 'records where packages were downloaded from', in: /^package-lock\.json$/, forbids: /"resolved": "https?:/ },
  { name: 'leaves work for later', in: /\.(ts|mjs|sh|ya?ml|tpl)$|^hack\/\w+$/, forbids: /\b(TO[D]O|FIX[M]E)\b/ },
  {
    name: 'silences a check',
    in: /\.(ts|mjs)$/,
    forbids:
      /@[t]s-(ignore|expect-error|nocheck)|biome-[i]gnore|\bas [a]ny\b|\b(test|it|describe|suite)(\.\w+)*\.(skip|only)\(/,
  },
  {
    name: 'is pure and reads a clock, chance or the environment',
    in: /^operator\/src\/(domain|render)\//,
    except: TEST,
    forbids:
      /\bDate\.now\(|new Date\(\)|\bMath\.random\(|\bprocess\.|\bset(Timeout|Interval|Immediate)\(|\bperformance\./,
  },
  {
    name: 'reads the environment outside config.ts, entry.ts and main.ts',
    in: /^(operator|runtime)\/.*\.ts$/,
    except: RegExp(`${TEST.source}|/(config|entry|main)\\.ts$`),
    // Setting a variable for a library that reads it is another matter.
    forbids: /\bprocess\.env\b(?!\[\w+\] = )/,
  },
];

const LONGEST = 400;
const IS_CODE = /\.(ts|mjs|tpl)$/;

function tooLong({ path, text }: SourceFile): string[] {
  const lines = text.split('\n').length - 1;
  return IS_CODE.test(path) && lines > LONGEST
    ? [`${path} has ${lines} lines, more than ${LONGEST}: split it by feature`]
    : [];
}

const applies = (rule: HouseRule, path: string): boolean => rule.in.test(path) && rule.except?.test(path) !== true;

function broken(rule: HouseRule, { path, text }: SourceFile): string[] {
  const index = text.search(rule.forbids);
  if (index < 0) return [];
  const line = text.slice(0, index).split('\n').length;
  return [`${path}:${line} ${rule.name}: ${text.split('\n')[line - 1]?.trim().slice(0, 100)}`];
}

/** Each broken rule with the line that breaks it; an empty list is a clean tree. */
export const houseFaults = (files: readonly SourceFile[]): string[] =>
  files.flatMap((file) => [
    ...tooLong(file),
    ...HOUSE_RULES.filter((rule) => applies(rule, file.path)).flatMap((rule) => broken(rule, file)),
  ]);
