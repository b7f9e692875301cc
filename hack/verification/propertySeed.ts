import fc from 'fast-check';

/**
 * One seed for every property test, so that a run can be repeated and a change is judged on itself alone. Look further
 * with SLIPWAY_PROPERTY_SEED=<number> and, for longer, SLIPWAY_PROPERTY_RUNS=<number>.
 */
const { SLIPWAY_PROPERTY_SEED: seed = '20260101', SLIPWAY_PROPERTY_RUNS: runs } = process.env;
fc.configureGlobal({ seed: Number(seed), ...(runs === undefined ? {} : { numRuns: Number(runs) }) });
