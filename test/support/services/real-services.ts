/** The PostgreSQL of this test run: a server on which tests make databases of their own (`postgres-template.ts`). */
export function postgresUrl(): string {
  return serviceUrl('POSTGRES');
}

/** The Redis of this test run, shared by all suites: each takes a key prefix of its own and flushes nothing. */
export function redisUrl(): string {
  return serviceUrl('REDIS');
}

function serviceUrl(name: 'POSTGRES' | 'REDIS'): string {
  const url = process.env[`TEST_${name}_URL`];
  if (url) return url;
  const why = process.env[`TEST_${name}_MISSING`] ?? 'the suite’s Jest project has no globalSetup that starts it';
  throw new Error(`These tests need a real ${name === 'REDIS' ? 'Redis' : 'PostgreSQL'}: ${why}`);
}
