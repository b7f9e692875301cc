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

/** Rooms of the model server; runtime/server/README.md is their map. */
const SERVER = (what) => `^runtime/server/${what}`;
/** What any room may use: words without a room of their own, and the small things all programs of the runtime share. */
const SERVER_WORDS = [
  CRDS,
  '^runtime/(artifact|container|onnx)/',
  SERVER('(tensor|requestError|roster|nodeHttp)\\.ts$'),
];
/** What rooms know of each other: interfaces and their types. */
const ENGINE_FACE = SERVER('engine/engine\\.ts$');
const SCHEDULER_FACE = SERVER('batching/scheduler\\.ts$');
const MODEL_FACE = SERVER('models/servedModel\\.ts$');
const PORT_FACES = [
  SERVER('portDependencies\\.ts$'),
  SERVER('(access|protocol|sessions)/'),
  SERVER('evidence/(copyEvidence|modelEvidence|outcome|refusals)\\.ts$'),
  SERVER('observe/observation\\.ts$'),
  ENGINE_FACE,
  SCHEDULER_FACE,
  MODEL_FACE,
];

const serverRoom = (room, comment, ...allowed) =>
  only(`server-${room.replace('/', '-')}`, comment, SERVER(`${room}/`), ...SERVER_WORDS, ...allowed);

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
    serverRoom('engine', 'An engine runs tensors; it knows no request.'),
    serverRoom('batching', 'Requests of one model, whatever engine runs them and whoever asks.', ENGINE_FACE),
    serverRoom('access', 'Who may ask is decided before anybody knows what is asked.'),
    serverRoom(
      'sessions',
      'Other pods: whose users a request is of, who remembers the request of a label, and the way there.',
    ),
    serverRoom('protocol', 'Bytes to tensors and back, without a socket.', ENGINE_FACE, SCHEDULER_FACE, MODEL_FACE),
    serverRoom('evidence', 'Counts what others tell it.', SCHEDULER_FACE, MODEL_FACE),
    serverRoom(
      'observe',
      'Watches from outside: a request never waits for it.',
      SERVER('evidence/modelEvidence\\.ts$'),
      SERVER('protocol/rawTensor\\.ts$'),
      MODEL_FACE,
    ),
    serverRoom(
      'pipeline',
      'Several stages are one engine.',
      ENGINE_FACE,
      SERVER('models/(modelFiles|signature)\\.ts$'),
    ),
    serverRoom(
      'models',
      'From a folder to a model that is proven and served, whatever protocol asks for it.',
      SERVER('(engine|batching|evidence|pipeline)/'),
      SERVER('observe/observation\\.ts$'),
      SERVER('protocol/tensorHeader\\.ts$'),
    ),
    serverRoom('rest', 'A port knows models by their faces.', ...PORT_FACES),
    serverRoom(
      'grpc',
      'A port like REST, which shares with it what is about ports and not about HTTP/1.1.',
      SERVER('rest/(absentModel|bodyGate|drain|refusal|repository)\\.ts$'),
      ...PORT_FACES,
    ),
    serverRoom('grpc/http2', 'HTTP/2 knows no gRPC.'),
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
