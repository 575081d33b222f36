import tseslint from 'typescript-eslint';

const SOURCES = ['**/*.ts', '**/*.tsx', '**/*.js'];

const NAMED_EXPORTS_ONLY = {
  selector: 'ExportDefaultDeclaration',
  message: 'Export it by name: a default export is called differently in each file that imports it.',
};

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', '.data/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  { files: SOURCES, extends: [tseslint.configs.recommendedTypeChecked] },
  {
    files: SOURCES,
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js', '.ci/*.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // Knows from tsconfig that decorators emit metadata, and leaves what Nest injects by type a value import.
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // A port's method may answer at once where its interface lets it wait.
      '@typescript-eslint/require-await': 'off',
      // Wrong about generic calls and object literals: following it does not compile.
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      // tsc reports these already.
      '@typescript-eslint/no-unused-vars': 'off',
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', NAMED_EXPORTS_ONLY],
    },
  },
  {
    files: ['src/**/*.{ts,tsx}', 'migrations/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 220, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // Its packages are the host's, and not installed here: a test installs them and compiles it strictly.
    files: ['docs/examples/existing-application/**', 'test/package/hosts/messy/**'],
    rules: Object.fromEntries(
      ['argument', 'assignment', 'call', 'member-access', 'return'].map((what) => [
        `@typescript-eslint/no-unsafe-${what}`,
        'off',
      ]),
    ),
  },
  {
    // What a host installs logs through the host's logger; a command line of its own prints.
    files: ['src/data-sinks/**/*.ts', 'src/console/**/*.ts', 'src/receiver/**/*.ts'],
    ignores: ['src/receiver/cli/**'],
    rules: { 'no-console': 'error' },
  },
  {
    // One line per event, a sentence and fields, with any logger of the host's: see `LogLine`.
    files: ['src/data-sinks/**/*.ts', 'src/console/**/*.ts'],
    ignores: ['src/data-sinks/tools/event-log.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { paths: [{ name: '@nestjs/common', importNames: ['Logger', 'ConsoleLogger'], message: 'Use EventLog.' }] },
      ],
    },
  },
  {
    // Statements of SQL are data, however many lines.
    files: ['migrations/**/*.ts', 'src/**/migrations/**/*.ts'],
    rules: { 'max-lines': 'off', 'max-lines-per-function': 'off' },
  },
  {
    files: ['test/**'],
    rules: { 'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }] },
  },
  {
    // Tools that load these take the default export.
    files: ['*.config.js', 'test/**/global-*.js', 'test/support/**/*-reporter.js', 'test/support/longest-first.js'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    // Tests read the JSON of answers and of other processes; what it should be is what they assert.
    files: ['test/**'],
    rules: Object.fromEntries(
      ['argument', 'assignment', 'call', 'member-access', 'return'].map((what) => [
        `@typescript-eslint/no-unsafe-${what}`,
        'off',
      ]),
    ),
  },
  {
    // Node loads them as they are: no types to check.
    files: ['*.js', '.ci/*.js'],
    extends: [tseslint.configs.disableTypeChecked],
  },
);
