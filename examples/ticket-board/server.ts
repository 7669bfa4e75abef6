/** The ticket board beside the demo of `npm start`, until it is interrupted. */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { openBoardServer } from './board-server.ts';
import { openDemoAccess, readDemoFile } from './demo-access.ts';

const { values } = parseArgs({
  options: {
    demo: { type: 'string', default: '.sealdesk/demo.json' },
    port: { type: 'string', default: '5173' },
  },
});

/** Throws Error, saying what to do, where the demo does not run. */
async function openDemo() {
  try {
    const admin = await readDemoFile(values.demo);
    return { gateway: admin.url, access: await openDemoAccess(admin) };
  } catch (cause) {
    throw new Error('The ticket board needs the demo: start it with npm start in another terminal.', {
      cause,
    });
  }
}

const { gateway, access: opened } = await openDemo();
await using access = opened;
await using board = await openBoardServer({
  port: Number(values.port),
  gateway,
  apiKey: access.apiKey,
  mapKey: access.mapKey,
});
console.log(`Ticket board  ${board.url}\nCtrl+C stops it.`);
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
