import { childMain } from '../server/engine/node/childMain.ts';

await childMain();
