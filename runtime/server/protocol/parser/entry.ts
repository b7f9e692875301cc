import { parserMain } from './parserMain.ts';

/** The module that a parser thread starts from. */
parserMain();
