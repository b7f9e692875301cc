/** What a runtime process counts about its traffic, and how it is asked. */
import * as z from 'zod';

/** Cumulative counts by upper bound; counts has one more entry than boundsMs (over the last bound). */
const histogramSchema = z.object({
  boundsMs: z.array(z.number()).max(64),
  counts: z.array(z.int()).max(65),
  sumMs: z.number(),
});

/**
 * Values of one feature or prediction since the start, in the bins of baseline.json: numeric, counts[i] lies in
 * (edges[i-1], edges[i]], one more than edges; categorical, one for each listed category and then `other`.
 * Edges, min and max count as rounded to the tensor's datatype. `counts` holds finite, present values only. missing:
 * NaN, or an empty text that is no listed category. nonFinite: an infinity. outOfRange: counted, and beyond the
 * baseline's min or max. unseen: counted in `other`, and a category that training did not have; always 0 where the
 * baseline's own `other` is not, for then it lists the frequent categories only.
 */
const binnedSchema = z.object({
  name: z.string().max(256),
  counts: z.array(z.int().min(0)).max(1024),
  missing: z.int().min(0),
  nonFinite: z.int().min(0),
  outOfRange: z.int().min(0),
  unseen: z.int().min(0),
});
export type BinnedEvidence = z.infer<typeof binnedSchema>;

/** How the answers of a shadowed candidate compare with the live ones. Each row of a batch counts, but for `skipped`. */
export const shadowEvidenceSchema = z.object({
  /** Identity of the order these counts belong to; another order starts at zero. */
  order: z.string().max(128),
  compared: z.int().min(0),
  disagreed: z.int().min(0),
  /** Requests that were sampled and not compared: the queue was full or the order ran out. */
  skipped: z.int().min(0),
  /** The candidate gave no answer: an error, a wrong shape, or too late. */
  failed: z.int().min(0),
  segments: z.record(z.string().max(128), z.object({ compared: z.int().min(0), disagreed: z.int().min(0) })).optional(),
  /** The first few disagreements: outputs only, inputs as keyed hashes. */
  examples: z
    .array(z.object({ id: z.string(), output: z.string(), live: z.string(), candidate: z.string() }))
    .max(1000)
    .optional(),
});
export type ShadowEvidence = z.infer<typeof shadowEvidenceSchema>;

/**
 * Body of POST on the evidence path: what the stable pods are to copy to the candidate until it expires. null ends it.
 * A poll that is missed ends it too, so that a dead operator leaves no copy running.
 */
export const shadowOrderSchema = z.strictObject({
  id: z.string().min(1).max(128),
  /** http://host:port of the candidate's REST port, or https:// with a certificate that the pod trusts. */
  target: z.url(),
  percent: z.number().min(0).max(100),
  compare: z.enum(['argmax', 'tolerance', 'topK']).optional(),
  tolerance: z.number().min(0).default(1e-3),
  k: z.int().min(1).max(1000).default(5),
  /** Name of a categorical feature (or input) to count by. */
  segment: z.string().max(256).optional(),
  expiresInSeconds: z.number().positive().max(300).default(15),
});
export type ShadowOrder = z.infer<typeof shadowOrderSchema>;

/**
 * Which version the users of a service belong to while a rollout goes on. A pod that gets a request of a user who
 * belongs to the other arm passes it on there, so that a share of users gets the candidate, and the same ones at each
 * step, whatever gateway stands before. A user is a candidate's when the first four bytes of
 * SHA-256("<salt>/<value of header>"), as a big-endian number, modulo 10000, are below `share`.
 */
export const sessionOrderSchema = z.strictObject({
  id: z.string().min(1).max(128),
  /** Header in lower case. A request without it is answered where it arrives. */
  header: z.string().min(1).max(64),
  salt: z.string().min(1).max(128),
  /** Of 10000. */
  share: z.int().min(0).max(10_000),
  /** Arm of the pod that gets this order. */
  arm: z.enum(['stable', 'candidate']),
  /** http://host:port of the other arm's REST port; pods speak plain text to each other. */
  other: z.url({ protocol: /^http$/, error: 'must be http://host:port of the other version' }),
  /**
   * Header routes: a request with all the headers of one of these (names in lower case, values whole) is answered where
   * it arrives, for a route brought it there whatever its user's hash says. So is one with PREVIEW_HEADER.
   */
  except: z
    .array(z.record(z.string().max(64), z.string().max(256)))
    .max(8)
    .optional(),
  expiresInSeconds: z.number().positive().max(300).default(5),
});
export type SessionOrder = z.infer<typeof sessionOrderSchema>;

/** Bins of the probability of a predicted class: ten, the usual number (Guo et al., On Calibration of Modern Neural Networks, 2017). */
export const CALIBRATION_BINS = 10;

/** Most pods that one pod asks about a label. */
export const MOST_PEERS = 64;

/**
 * The other pods of a service, of all its versions. A late label comes to any pod, and only the one that answered
 * remembers the request: a pod that does not asks these.
 */
export const peersOrderSchema = z.strictObject({
  /** http://host:port of their REST ports. */
  urls: z.array(z.url({ protocol: /^http$/, error: 'must be http://host:port of a pod' })).max(MOST_PEERS),
  /** An address may belong to another pod soon after its own is gone. */
  expiresInSeconds: z.number().positive().max(300).default(60),
});
export type PeersOrder = z.infer<typeof peersOrderSchema>;

/** An order that is left out stays as it is until it expires; null ends it at once. */
export const evidencePollSchema = z.strictObject({
  shadow: shadowOrderSchema.nullable().optional(),
  session: sessionOrderSchema.nullable().optional(),
  peers: peersOrderSchema.nullable().optional(),
});
export type EvidencePoll = z.infer<typeof evidencePollSchema>;

/**
 * The evidence document: cumulative, mergeable counters of one runtime process. A restart is a new epoch, so a
 * reader never mistakes counters that start again at zero for requests that did not happen.
 */
export const EVIDENCE_SCHEMA = 'slipway.dev/evidence/v1';
export const evidenceSchema = z.object({
  schema: z.literal(EVIDENCE_SCHEMA),
  epoch: z.string().max(64),
  startedAt: z.string(),
  at: z.string(),
  model: z.object({ name: z.string(), version: z.string(), digest: z.string() }),
  ready: z.boolean(),
  draining: z.boolean(),
  inFlight: z.int().min(0),
  /** ok: 2xx. clientError: 4xx, the caller's fault, never the model's. serverError: 5xx of the model or server. shed: 503 refused unserved. */
  requests: z.object({
    ok: z.int().min(0),
    clientError: z.int().min(0),
    serverError: z.int().min(0),
    shed: z.int().min(0),
  }),
  /**
   * Per-second batches, for the design effect: seconds with at least one served request, and the sum over them of
   * failed²/served. With F = Σ failed and N = Σ served: φ = (sum − F²/N) / ((seconds − 1)·p·(1 − p)), p = F/N.
   */
  batches: z.object({ seconds: z.int().min(0), failedSquaredOverServed: z.number().min(0) }),
  /** Served requests (ok and serverError): milliseconds from the last body byte to the answer. counts has one more entry than boundsMs (over the last bound). */
  latency: histogramSchema,
  /** Where served requests spent their time: waiting for the engine, and in it. */
  queue: histogramSchema.optional(),
  compute: histogramSchema.optional(),
  /** Served answers that held a value no caller can use (NaN, infinity). */
  invalid: z.int().min(0).optional(),
  /**
   * Copies of live requests that came for a second opinion (SECOND_OPINION), counted here and in none of the counts of
   * requests, latency and labels. What was refused or ended for load is counted nowhere. Absent: a runtime that counts
   * copies like any request, and must be sent none.
   */
  copies: z
    .object({
      ok: z.int().min(0),
      clientError: z.int().min(0),
      serverError: z.int().min(0),
      invalid: z.int().min(0),
    })
    .optional(),
  /** Against baseline.json, in its order; absent when the model has none. */
  features: z.array(binnedSchema).max(4096).optional(),
  predictions: z.array(binnedSchema).max(4096).optional(),
  /** Rows of successful runs, and those whose values were counted: some of them only where the baseline has hundreds of features. */
  rows: z.object({ run: z.int().min(0), judged: z.int().min(0) }).optional(),
  /** Rows whose distance from the training data was judged, and those beyond the baseline's 99.9 % point. */
  outliers: z.object({ judged: z.int().min(0), beyond: z.int().min(0) }).optional(),
  shadow: shadowEvidenceSchema.optional(),
  /**
   * Late labels: answers that were found right or wrong, and labels whose request is not remembered. Their batches are of
   * the seconds in which the requests were answered: labels come by the thousand at once, hours later.
   */
  labels: z
    .object({
      right: z.int().min(0),
      wrong: z.int().min(0),
      unknown: z.int().min(0),
      batches: z.object({ seconds: z.int().min(0), wrongSquaredOverLabelled: z.number().min(0) }).optional(),
      /**
       * Of a classifier that tells probabilities: labelled answers by the probability of the predicted class, in ten bins of
       * equal width, each with its upper edge; those that were right, and the sum of those probabilities. Absent before
       * twenty answers told probabilities and one of them was labelled, for good once more than one answer in twenty told
       * something else, and from a runtime that does not count them.
       */
      calibration: z
        .object({
          bins: z
            .array(z.object({ n: z.int().min(0), right: z.int().min(0), confidence: z.number().min(0) }))
            .length(CALIBRATION_BINS),
        })
        .optional(),
    })
    .optional(),
});
export type Evidence = z.infer<typeof evidenceSchema>;

/** No document is larger: the runtime refuses a baseline whose counts would need more. */
export const EVIDENCE_MAX_BYTES = 4 * 1024 * 1024;

/**
 * Upper bounds of the time histograms, milliseconds. Those of OpenTelemetry's http.server.request.duration (5 ms to
 * 10 s) are among them, so queries written for those hold here. A limit on latency must be one of these: a share
 * beyond any other threshold can't be counted.
 */
export const LATENCY_BOUNDS_MS = [
  0.1, 0.25, 0.5, 1, 2, 2.5, 3, 5, 7.5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 80, 100, 150, 200, 250, 300, 500, 750, 1000,
  2000, 2500, 5000, 7500, 10000,
] as const;
