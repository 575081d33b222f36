/**
 * Native ES modules (PGlite's dynamic imports fail in Jest's CommonJS mode) and swc with legacy decorators and metadata,
 * which Nest's injection and TypeORM's entities read.
 */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  // Compiled code holds copies of the same modules.
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
};

const project = (displayName, extra = {}) => ({
  ...shared,
  displayName,
  testMatch: [`<rootDir>/test/${displayName}/**/*.test.ts`],
  ...extra,
});

/** Real PostgreSQL and Redis, and migrated databases to copy: for projects that ask for them. */
const withServices = {
  globalSetup: '<rootDir>/test/support/services/global-setup.js',
  globalTeardown: '<rootDir>/test/support/services/global-teardown.js',
};

export default {
  // Not a project's to say: Jest takes it from here alone.
  testTimeout: 60_000,
  // Servers and receivers run beside the tests: more workers than this and they wait for each other.
  maxWorkers: 2,
  // What a suite's modules took is not given back. Without this, a third of the whole run went into collecting garbage.
  workerIdleMemoryLimit: '800MB',
  testSequencer: '<rootDir>/test/support/longest-first.js',
  reporters: ['default', '<rootDir>/test/support/totals-reporter.js'],
  projects: [
    project('unit'),
    project('contract'),
    project('architecture'),
    project('integration', withServices),
    project('e2e', withServices),
    // The same stories on PostgreSQL and Bull, in the place of the embedded database and timers.
    project('e2e-services', {
      ...withServices,
      testMatch: ['<rootDir>/test/e2e/**/*.test.ts'],
      testPathIgnorePatterns: ['/test/e2e/reference-host/', '/test/e2e/security/'],
      setupFiles: ['<rootDir>/test/support/platform/on-services.js'],
    }),
    project('browser', { ...withServices, testMatch: ['<rootDir>/test/e2e-browser/**/*.test.ts'] }),
    // Packs the module first, and installs it into other people's backends.
    project('package', { ...withServices, globalSetup: '<rootDir>/test/package/support/global-setup.js' }),
    // Starts, kills and restarts servers of its own.
    project('chaos'),
    // Does each part of the bench still work? It starts servers of its own too.
    project('bench'),
  ],
};
