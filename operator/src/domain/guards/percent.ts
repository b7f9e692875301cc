/** `1.25%` as 0.0125. */
export const parsePercent = (text: string): number => Number(text.slice(0, -1)) / 100;

/** A share as percent with four significant digits: 0.03125 is 3.125%. */
export const percentText = (share: number): string => `${Number((share * 100).toPrecision(4))}%`;
