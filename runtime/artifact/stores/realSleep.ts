/** Waits as long as it says. Stores take another one from their context where nobody has the time. */
export const realSleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
