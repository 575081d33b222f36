/**
 * Native ES modules (PGlite's dynamic imports fail in Jest's CommonJS mode) and swc with legacy decorators and metadata,
 * which Nest's injection and TypeORM's entities read.
 */
const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
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

export default {
  testTimeout: 60_000,
  maxWorkers: 2,
  projects: [
    project('unit'),
    project('contract'),
    project('architecture'),
    project('integration'),
    project('e2e'),
  ],
};
