/**
 * Which room may import which. The pictures and reasons stand in docs/decisions; a rule here is what CI enforces.
 * Tests may reach further than the code they test, so every rule is about code.
 */

const TESTS = '(\\.test\\.ts$|/test/|/testing/|/tests/)';
const code = (path) => ({ path, pathNot: TESTS });

/** `from` may import nothing of ours but `allowed` and itself. */
const rooms = '^(crds|operator|runtime|hack|e2e|charts)/';
const only = (name, comment, from, ...allowed) => ({
  name,
  comment,
  severity: 'error',
  from: code(from),
  to: { path: rooms, pathNot: [from, ...allowed] },
});

/** What a pure module can not have: the outside world. */
const WORLD =
  '^(node:)?(fs|fs/promises|net|http|https|http2|dns|child_process|worker_threads|timers|timers/promises|os|process|cluster|dgram|tls)$';
const CLIENTS = 'node_modules/(undici|@kubernetes/client-node|pino|prom-client|onnxruntime-node)/';

const pure = (name, from) => [
  {
    name: `${name}-touches-no-world`,
    comment: 'A decision that reads a file, a clock or a socket can not be tested as a table.',
    severity: 'error',
    from: code(from),
    to: { path: WORLD, dependencyTypes: ['core'] },
  },
  {
    name: `${name}-calls-nobody`,
    comment: 'Decisions return data; controllers carry it out.',
    severity: 'error',
    from: code(from),
    to: { path: CLIENTS, dependencyTypesNot: ['type-only'] },
  },
];

const CRDS = '^crds/src/';
const DOMAIN = '^operator/src/domain/';
const RENDER = '^operator/src/render/';
const API = '^operator/src/api/';
const KUBE = '^operator/src/kube/';
/** Words of the machinery: types and pure functions, nothing that fetches. */
const KUBE_WORDS = '^operator/src/kube/(wire|resource|outcome|conditions|contracts)\\.ts$';

export default {
  forbidden: [
    {
      name: 'no-circles',
      comment: 'Two files that need each other are one file.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'declared',
      comment: 'An undeclared package is there by luck.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    { name: 'resolved', comment: 'The file is not there.', severity: 'error', from: {}, to: { couldNotResolve: true } },
    only('crds-needs-nobody', 'The API is the ground everything else stands on.', CRDS),
    only('domain-knows-the-api-only', 'Rules and statistics know no Kubernetes call.', DOMAIN, CRDS, API, KUBE_WORDS),
    only('render-knows-domain-and-api', 'spec -> child objects.', RENDER, CRDS, DOMAIN, API, KUBE_WORDS),
    only(
      'kube-knows-no-kind-of-ours',
      'The machinery could serve any operator.',
      KUBE,
      '^crds/src/(index|common/condition)\\.ts$',
      '^operator/src/telemetry/',
    ),
    only('runtime-shares-the-api-only', 'The runtime and the operator meet in crds/src.', '^runtime/', CRDS),
    only('operator-shares-the-api-only', 'The runtime and the operator meet in crds/src.', '^operator/', CRDS),
    {
      name: 'providers-know-no-controller',
      comment: 'A provider serves whoever asks; the one who asks decides.',
      severity: 'error',
      from: code('^operator/src/(traffic|measure)/'),
      to: { path: '^operator/src/controllers/' },
    },
    ...pure('domain', DOMAIN),
    ...pure('render', RENDER),
  ],
  options: {
    parser: 'swc',
    tsConfig: { fileName: 'tsconfig.base.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|\\.cache|\\.cluster)/' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types'],
    },
    combinedDependencies: true,
  },
};
