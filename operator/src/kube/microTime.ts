/** metav1.MicroTime: six digits of a second, which Lease and Event demand where metav1.Time has none. */
export const microTime = (at: Date): string => at.toISOString().replace('Z', '000Z');
