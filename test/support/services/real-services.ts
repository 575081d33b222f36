/** The PostgreSQL of this test run: a server on which tests make databases of their own (`postgres-template.ts`). */
export function postgresUrl(): string {
  return serviceUrl('POSTGRES');
}

/** The Redis of this test run, shared by all suites: each takes a key prefix of its own and flushes nothing. */
export function redisUrl(): string {
  return serviceUrl('REDIS');
}

/** The store of objects of this test run, with its owner's keys: each suite makes buckets of its own. */
export function storeUrl(): string {
  return serviceUrl('S3');
}

function serviceUrl(name: 'POSTGRES' | 'REDIS' | 'S3'): string {
  const url = process.env[`TEST_${name}_URL`];
  if (url) return url;
  const why = process.env[`TEST_${name}_MISSING`] ?? 'the suite’s Jest project has no globalSetup that starts it';
  throw new Error(
    `These tests need a real ${{ POSTGRES: 'PostgreSQL', REDIS: 'Redis', S3: 'store of objects' }[name]}: ${why}`,
  );
}
