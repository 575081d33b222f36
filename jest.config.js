/**
 * Native ES modules (PGlite's dynamic imports fail in Jest's CommonJS mode) and swc with legacy decorators and metadata,
 * which Nest's injection and TypeORM's entities read.
 */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  // Compiled code contains copies of the same modules.
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

/** `npm run test:matrix`: the long tests. */
const matrix = process.argv.includes('matrix');

/** Files named on the command line run in every mode, however long they take. */
const named = process.argv.slice(2).some((word) => word.startsWith('test/'));

/** Each takes half a minute and more, which `npm test` leaves to the matrix: together as long as all others. */
const LONG = [
  'test/bench/smoke.test.ts',
  'test/chaos/s3-crashes.test.ts',
  'test/e2e/guest/*.test.ts',
  'test/e2e/reference-host/@(boot|database-away|redis-refuses|start-prod|stops).test.ts',
  'test/e2e/security/@(every-route|saved-addresses|saved-buckets).test.ts',
  'test/e2e-browser/!(story|addresses).test.ts',
  'test/integration/egress/large-bodies.test.ts',
  'test/integration/persistence/jobs-by-workspace-migration.test.ts',
  'test/integration/s3/exactly-one-object.test.ts',
];
const longOf = (folder) => LONG.filter((files) => files.startsWith(`test/${folder}/`));
const these = (files) => `<rootDir>/${files}`;
/** After the others. Jest does not know `<rootDir>` behind a `!`. */
const notThese = (files) => `!**/${files}`;

const filesOf = (folder) => {
  const all = these(`test/${folder}/**/*.test.ts`);
  if (named) return [all];
  return matrix ? longOf(folder).map(these) : [all, ...longOf(folder).map(notThese)];
};

const project = (displayName, extra = {}) => ({
  ...shared,
  displayName,
  testMatch: filesOf(displayName),
  ...extra,
});

/** The e2e files that `npm test` also runs on the embedded database; the matrix runs the others. */
const EMBEDDED = [
  'test/e2e/@(formats|shutdown|story|tenancy).test.ts',
  'test/e2e/@(reference-host|security)/**/*.test.ts',
];

const embedded = () => {
  const all = these('test/e2e/**/*.test.ts');
  if (named) return [all];
  const long = longOf('e2e');
  if (!matrix) return [...EMBEDDED.map(these), ...long.map(notThese)];
  return [all, ...EMBEDDED.map(notThese), ...long.map(these)];
};

/** Real PostgreSQL and Redis, and migrated databases to copy, for projects that need them. */
const withServices = {
  globalSetup: '<rootDir>/test/support/services/global-setup.js',
  globalTeardown: '<rootDir>/test/support/services/global-teardown.js',
};

/** Also packs the package. */
const withPackage = { ...withServices, globalSetup: '<rootDir>/test/package/support/global-setup.js' };

export default {
  // A global option of Jest.
  testTimeout: 300_000,
  // More workers would compete with the servers and receivers that run beside the tests.
  maxWorkers: 2,
  // Memory of a suite's modules is not returned; without this limit, a third of the run is garbage collection.
  workerIdleMemoryLimit: '800MB',
  testSequencer: '<rootDir>/test/support/longest-first.js',
  reporters: ['default', '<rootDir>/test/support/totals-reporter.js'],
  projects: [
    project('unit'),
    project('contract'),
    project('architecture'),
    project('integration', withServices),
    project('e2e', { ...withServices, testMatch: embedded() }),
    // The same files on PostgreSQL and Bull instead of the embedded database and timers.
    project('e2e-services', {
      ...withServices,
      testMatch: filesOf('e2e'),
      testPathIgnorePatterns: ['/test/e2e/reference-host/', '/test/e2e/security/'],
      setupFiles: ['<rootDir>/test/support/platform/on-services.js'],
    }),
    project('browser', { ...withServices, testMatch: filesOf('e2e-browser') }),
    // Packs the module first.
    project('package', withPackage),
    // Starts, kills and restarts its own servers.
    project('chaos'),
    // Checks that each part of the benchmark still works. Starts its own servers, too.
    project('bench'),
    // Long tests: full tables of cases, every chaos fault, installations into other backends. Run only on request.
    ...(matrix ? [project('matrix', { ...withPackage, testMatch: ['<rootDir>/test/matrix/**/*.test.ts'] })] : []),
  ],
};
