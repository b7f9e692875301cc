/**
 * No step sees a trillion events. A sum of bytes or of times is a number all the same, and beyond this the interval of
 * its rate has no digits left, and the status no room: an n that is no int64 would have the API refuse it, verdicts,
 * rollback and all.
 */
export const MOST_COUNTED = 1e12;
