/** Undefined for text that is not JSON: no schema takes that, so one complaint serves both faults. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
