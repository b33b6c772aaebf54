// Checks beside the page, which stays quick meanwhile: a claim comes in, reports go out.
import type { Claim } from './verify.ts';
import { verify } from './verify.ts';

addEventListener('message', (event: MessageEvent<Claim>) => void verify(event.data, (report) => postMessage(report)));
