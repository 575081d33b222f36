import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describeApi } from './api-document.js';

/**
 * Writes the OpenAPI document, by default to `docs/openapi.json`, without opening a database or a port. After `npm run
 * build`: `node dist/src/reference-host/openapi.js [path]`.
 */
const path = resolve(process.argv[2] ?? 'docs/openapi.json');
await writeFile(path, `${JSON.stringify(await describeApi(), null, 2)}\n`);
console.log(`wrote ${path}`);
