// Worker that runs the checks off the main thread: receives a claim, posts reports.
import type { Claim } from './verify.ts';
import { verify } from './verify.ts';

addEventListener('message', (event: MessageEvent<Claim>) => void verify(event.data, (report) => postMessage(report)));
