/** The end of a text as one line: conditions are read in tables and columns, and the last lines tell the cause. */
export const oneLine = (text: string, longest = 1024): string =>
  text
    .trim()
    .replaceAll(/\s*\n\s*/g, ' | ')
    .slice(-longest)
    .toWellFormed();
