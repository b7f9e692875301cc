import { expect, test } from 'vitest';
import { houseFaults } from './houseRules.ts';

/** Put together, so that this file is held to the rules too. */
const [root, work, home, ignore, skip] = ['root', 'work', 'home', 'ignore', 'skip'];
const [todo, fixme] = [['TO', 'DO'].join(''), ['FIX', 'ME'].join('')];

const faults = (path: string, text: string) => houseFaults([{ path, text }]);

test.each<[string, string, string]>([
  ['a path of one machine', 'docs/a.md', `see /${root}/slipway`],
  ['a path of one user', 'hack/a.ts', `read('/${home}/ada/models')`],
  ['a download address', 'package-lock.json', '"resolved": "https://example.com/a.tgz"'],
  ['work left for later', 'operator/src/a.ts', `// ${todo}: later`],
  ['a silenced compiler', 'operator/src/a.ts', `// @ts-${ignore}`],
  ['a silenced type', 'operator/src/a.ts', `const x = y as ${['a', 'ny'].join('')};`],
  ['a silenced test', 'operator/src/a.test.ts', `test.${skip}('works', () => {})`],
  ['a clock in the pure heart', 'operator/src/domain/a.ts', 'const now = Date.now();'],
  ['chance in the pure heart', 'operator/src/render/a.ts', 'const name = Math.random();'],
  ['environment read anywhere', 'runtime/server/routes.ts', "process.env['X']"],
  ['a file too long to read', 'operator/src/a.ts', 'x\n'.repeat(401)],
])('refuses %s', (_, path, text) => {
  expect(faults(path, text)).toHaveLength(1);
});

test.each<[string, string, string]>([
  ['a path below the repository', 'docs/a.md', `see config/${root}/a and ./${work}/b and example.com/${home}/page`],
  ['a given clock', 'operator/src/domain/a.ts', 'new Date(now.getTime() + 5)'],
  ['a clock outside the pure heart', 'operator/src/kube/clock.ts', 'Date.now()'],
  ['environment read where it belongs', 'runtime/server/main.ts', 'serve(process.env)'],
  ['a switch set for a library', 'runtime/onnx/telemetry.ts', "process.env[OPT_OUT] = '1';"],
  ['a file just short enough', 'operator/src/a.ts', 'x\n'.repeat(400)],
])('lets %s pass', (_, path, text) => {
  expect(faults(path, text)).toEqual([]);
});

test('says where and what', () => {
  expect(faults('operator/src/a.ts', `fine\n// ${fixme} soon\n`)).toEqual([
    `operator/src/a.ts:2 leaves work for later: // ${fixme} soon`,
  ]);
});
