import * as z from 'zod';
import { type CelRule, cel, matches } from '../common/cel.ts';
import { atomicList, dnsLabel, stringMap } from '../common/fields.ts';

const hostname = () =>
  cel(
    z.string().max(253),
    matches(
      /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
      'must be a lower-case host name without scheme, port or path, such as flights.example.com or *.example.com',
    ),
  );

const PATH = /^(\/[A-Za-z0-9._~-]+)*\/?$/;
const DOT_SEGMENT = /\/\.\.?(\/|$)/;

/** What the Gateway API takes as a prefix: it refuses empty and dot segments, and with them the whole route. */
const pathPrefix = () =>
  cel(z.string().max(256), {
    rule: `self != '' && ${matches(PATH, '').rule} && !${matches(DOT_SEGMENT, '').rule}`,
    message:
      'must start with / and hold letters, digits and . _ ~ - only between single slashes, such as /flights, without . and .. as segments',
    holds: (self) => self !== '' && PATH.test(self) && !DOT_SEGMENT.test(self),
  });

const gatewayName = () =>
  cel(
    z.string().max(253),
    matches(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be the name of a Gateway, such as public'),
  );

const headerName = () =>
  cel(
    z.string().max(64),
    matches(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be a header name in lower case, such as x-user-id'),
  );

const HEADER = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** slipway-preview and its like decide before any route of a user does. */
const OWN_HEADERS = 'slipway-';
type Headers = Readonly<Record<string, string>>;

const someHeader: CelRule<Headers> = {
  rule: `self.size() > 0 && self.all(name, name.matches(r'${HEADER.source}') && !name.startsWith('${OWN_HEADERS}') && self[name] != '')`,
  message: `needs at least one header with a value, its name in lower case and not starting with ${OWN_HEADERS}, such as {x-cohort: beta}`,
  holds: (header) => {
    const named = Object.entries(header);
    return (
      named.length > 0 &&
      named.every(([name, value]) => HEADER.test(name) && !name.startsWith(OWN_HEADERS) && value !== '')
    );
  },
};

/** A gateway prefers the rule that asks for most headers, and looks at their order only among equals. */
const mostHeadersFirst: CelRule<readonly { readonly header: Headers }[]> = {
  rule: 'self.map(route, 0 - route.header.size()).isSorted()',
  message: 'routes that ask for more headers come before those that ask for fewer, as gateways look at them first',
  holds: (routes) => routes.every(({ header }, i) => i === 0 || size(header) <= size(routes[i - 1]?.header ?? {})),
};
const size = (header: Headers): number => Object.keys(header).length;

interface Traffic {
  provider: string;
  gateway?: object | undefined;
  hostnames?: readonly string[] | undefined;
  pathPrefix: string;
  routes?: readonly object[] | undefined;
}

/** The server tries rules on the bare default `{}` as well, before it fills in provider and pathPrefix. */
const replicasHaveNoRoute: CelRule<Traffic> = {
  rule: "!has(self.provider) || self.provider != 'Replicas' || (!has(self.gateway) && !has(self.hostnames) && !has(self.routes) && (!has(self.pathPrefix) || self.pathPrefix == '/'))",
  message:
    'with provider: Replicas there is no route: leave out gateway, hostnames, pathPrefix and routes, or write provider: Gateway',
  holds: ({ provider, gateway, hostnames, pathPrefix: prefix, routes }) =>
    provider !== 'Replicas' ||
    (gateway === undefined && hostnames === undefined && routes === undefined && prefix === '/'),
};

const routeSchema = z.object({
  header: cel(stringMap(8, 256), someHeader).describe('Headers that a request must have, all of them, exactly so.'),
  to: z
    .enum(['Candidate', 'Stable'])
    .describe(
      'Candidate: these requests go to the candidate from its first weight on, and to the stable version when there is none. Stable: they never go to a candidate.',
    ),
});

export const trafficSchema = cel(
  z.object({
    provider: z
      .enum(['Gateway', 'Replicas'])
      .default('Gateway')
      .describe(
        'What splits requests. Gateway: weights of an HTTPRoute. Replicas: numbers of pods behind one Service, without any gateway; only weights that whole pods can give.',
      ),
    gateway: z
      .object({
        name: gatewayName().describe('Name of the Gateway.'),
        namespace: dnsLabel(63).optional().describe('Its namespace. Unset: that of this object.'),
      })
      .optional()
      .describe('Gateway that the route attaches to. Unset: the default of the operator.'),
    hostnames: atomicList(hostname(), 16)
      .optional()
      .describe('Hosts that the route answers. Unset: every host of the Gateway.'),
    pathPrefix: pathPrefix()
      .default('/')
      .describe('Path prefix that the route answers; removed before the model server sees the request.'),
    sessionKey: z
      .object({ header: headerName().describe('Header that names the user or session, such as x-user-id.') })
      .optional()
      .describe(
        'Requests of one user stay with one version while a rollout goes on: the users are split by a hash of this header, and those who got the candidate at a weight keep it at every higher one. REST only; requests without the header are split by weight alone.',
      ),
    routes: cel(atomicList(routeSchema, 8), mostHeadersFirst)
      .optional()
      .describe(
        'Requests that go by header instead of by weight, as for an A/B test. The first that fits counts; those that ask for more headers come first.',
      ),
  }),
  replicasHaveNoRoute,
).describe('How requests reach the service.');
