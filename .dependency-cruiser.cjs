/**
 * The layers of the code, one way only; each boundary is a rule of its own, so that a broken one is called by its name.
 * `test/architecture/dependency-rules.test.ts` plants a bad import for each and expects exactly that rule to fire.
 */
const SINKS = '^src/data-sinks/';
const ADAPTERS = `${SINKS}(persistence|payload|vault|egress|wakeup)/`;
const FACES = `${SINKS}(admin|console)/`;
/** The module's own files, above the folders: what binds them together and what the host sees. */
const WIRING = `${SINKS}[^/]+$`;
/** Of the wiring, what others may know: the options' types and the tokens they are injected by. */
const SETTINGS = `${SINKS}data-sinks\\.(options|tokens)\\.ts$`;
/** The console's page: bundled for browsers with all that it imports, and checked by a tsconfig of its own. */
const PAGE = `${SINKS}console/page/`;
const PUBLISHED = '^src/(data-sinks|receiver)/';

const package_ = (...names) => `(^|/)node_modules/(${names.join('|')})/`;
const NODE_NETWORK = '^(node:)?(http|https|http2|net|tls|dgram)$';

const rule = (name, comment, from, to) => ({ name, severity: 'error', comment, from, to });

module.exports = {
  forbidden: [
    rule(
      'core-is-pure',
      'The core is plain functions: no other layer, no framework, no ORM, nothing of Node but hashing.',
      { path: `${SINKS}core/` },
      { pathNot: [`${SINKS}core/`, '^(node:)?crypto$', package_('ipaddr\\.js')] },
    ),
    rule(
      'ports-know-the-core-alone',
      'A port speaks in the core’s words, so that an adapter needs nothing else of ours.',
      { path: `${SINKS}ports/` },
      { pathNot: [`${SINKS}(ports|core)/`, '^(node:)?stream$', package_('@nestjs/common')] },
    ),
    rule(
      'adapters-do-not-meet',
      'persistence, payload, vault, egress and wakeup are siblings: the pipeline brings them together.',
      { path: ADAPTERS },
      { path: ADAPTERS, pathNot: `${SINKS}$1/` },
    ),
    rule(
      'adapters-do-not-look-up',
      'What stores, sends and wakes knows nothing of the pipeline or of what is above it.',
      { path: ADAPTERS },
      { path: [`${SINKS}(pipeline|admin|console)/`, WIRING], pathNot: SETTINGS },
    ),
    rule(
      'pipeline-does-not-look-up',
      'The life of a delivery goes on without an API or a page.',
      { path: `${SINKS}pipeline/` },
      { path: [FACES, WIRING], pathNot: SETTINGS },
    ),
    rule(
      'faces-do-not-meet',
      'The API and the page are siblings: the page calls the API over HTTP.',
      { path: FACES },
      { path: FACES, pathNot: `${SINKS}$1/` },
    ),
    rule(
      'faces-do-not-look-up',
      'The module binds the API and the page; they do not know it.',
      { path: FACES },
      { path: WIRING, pathNot: SETTINGS },
    ),
    rule(
      'page-speaks-http',
      'The page knows the API by its document, as any client does: no code of the server goes into a browser (types do not).',
      { path: PAGE },
      { path: '^(src|migrations|test)/', pathNot: PAGE, dependencyTypesNot: ['type-only'] },
    ),
    rule(
      'page-is-not-for-servers',
      'The page’s code needs a browser; the console serves it as files.',
      { path: '^(src|migrations)/', pathNot: PAGE },
      { path: PAGE },
    ),
    rule(
      'typeorm-in-its-rooms',
      'The ORM stays in persistence, payload, vault and the module’s wiring.',
      { path: SINKS, pathNot: [`${SINKS}(persistence|payload|vault)/`, WIRING] },
      { path: package_('typeorm', '@nestjs/typeorm') },
    ),
    rule(
      'bull-only-wakes',
      'Bull is in maintenance and may become BullMQ: it stays behind the Wakeup port.',
      { path: SINKS, pathNot: [`${SINKS}wakeup/`, WIRING] },
      { path: package_('bull', 'bullmq', '@nestjs/bull', '@nestjs/bullmq', 'ioredis') },
    ),
    rule(
      'network-only-in-egress',
      'Nothing but the guarded client opens a connection (the published test receiver takes them).',
      { path: SINKS, pathNot: [`${SINKS}(egress|testing)/`] },
      { path: [NODE_NETWORK, package_('undici', 'axios')] },
    ),
    rule(
      'module-does-not-know-its-host',
      'What is published installs into any backend: nothing of the reference host, the tests or the tools.',
      { path: PUBLISHED },
      { path: ['^src/reference-host/', '^src/main\\.ts$', '^ormconfig\\.ts$', '^test/'] },
    ),
    rule(
      'host-enters-by-the-front-door',
      'The reference host uses what any host can: the public surface.',
      { path: ['^src/reference-host/', '^src/main\\.ts$', '^ormconfig\\.ts$'] },
      { path: SINKS, pathNot: [`${SINKS}(index|bull)\\.ts$`, `${SINKS}testing/`] },
    ),
    rule(
      'testing-is-not-for-production',
      'The in-memory ports are for tests and the demo.',
      { path: '^(src|migrations|ormconfig)', pathNot: [`${SINKS}testing/`, '^src/reference-host/demo/'] },
      { path: `${SINKS}testing/` },
    ),
    rule(
      'receiver-stands-alone',
      'Customers copy or install it by itself: no dependency but Node.',
      { path: '^src/receiver/' },
      { pathNot: ['^src/receiver/'], dependencyTypesNot: ['core'] },
    ),
    rule(
      'module-does-not-need-the-receiver',
      'The receiver checks the module’s signatures: code shared by both would hide a mistake in it.',
      { path: SINKS, pathNot: `${SINKS}testing/` },
      { path: '^src/receiver/' },
    ),
    rule(
      'migrations-stand-alone',
      'A migration says what it did when it was written; code that it imports would change under it.',
      { path: '(^|/)migrations/\\d+' },
      { pathNot: package_('typeorm') },
    ),
    rule(
      'published-code-declares-its-dependencies',
      'A dev dependency is not there in the host.',
      { path: [PUBLISHED, '^migrations/'], pathNot: PAGE },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer', 'npm'] },
    ),
    rule('imports-resolve', 'An import that leads nowhere.', { pathNot: PAGE }, { couldNotResolve: true }),
    rule(
      'no-cycles',
      'Files that need each other are one file, or miss a third. Cycles of types alone are let be: they are gone at run time.',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    rule(
      'no-orphans',
      'A file that imports nothing and that nothing imports.',
      { orphan: true, pathNot: ['\\.d\\.ts$', '^src/main\\.ts$', '^test/support/platform/on-services\\.js$'] },
      {},
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Imports of types count too: a type is knowledge of another layer.
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
