// A liar in the middle: passes everything on but for one digit of a figure, or one byte of a bundle.
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export async function tampering(api: string, what: 'figure' | 'bundle'): Promise<{ api: string; close: () => void }> {
  const target = new URL(api);
  const server = createServer((asked, answer) => {
    const headers = { ...asked.headers, host: target.host, 'accept-encoding': 'identity', 'if-none-match': '' };
    const onward = request({ host: target.hostname, port: target.port, path: asked.url, method: asked.method, headers }, (answered) => {
      const parts: Buffer[] = [];
      answered.on('data', (part: Buffer) => parts.push(part));
      answered.on('end', () => {
        const body = Buffer.concat(parts);
        const bent = what === 'figure' && asked.url?.startsWith('/api/v1/figures/') ? digit(body) : what === 'bundle' && asked.url?.startsWith('/api/v1/bundles/') ? byte(body) : body;
        const { 'transfer-encoding': _, 'content-length': __, ...kept } = answered.headers;
        answer.writeHead(answered.statusCode ?? 502, { ...kept, 'content-length': bent.length });
        answer.end(bent);
      });
    });
    asked.pipe(onward);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    api: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The last digit of the value, another one. */
function digit(body: Buffer): Buffer {
  const answer = JSON.parse(body.toString()) as { value: string };
  const last = Number(answer.value.at(-1));
  return Buffer.from(JSON.stringify({ ...answer, value: `${answer.value.slice(0, -1)}${(last + 1) % 10}` }));
}

function byte(body: Buffer): Buffer {
  const bent = Buffer.from(body);
  bent[Math.floor(bent.length / 2)]! ^= 1;
  return bent;
}
