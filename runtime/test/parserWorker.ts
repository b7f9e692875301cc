import { parserMain } from '../server/protocol/parser/parserMain.ts';

parserMain();
