// Ends nodes whose tests were killed: reads their ids, one a line, and acts when whoever wrote them is gone
// without a last word. Each id is the leader of a group of its own.
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [ids, dirs] = [new Set(), new Set()];
let done = false;
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [word, what = ''] = line.split(' ', 2);
    if (word === 'done') done = true;
    else if (word === 'dir') dirs.add(what);
    else ids.add(Number(what));
  })
  .on('close', () => {
    if (done) return;
    for (const id of ids) {
      try {
        process.kill(-id, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
    for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
  });
