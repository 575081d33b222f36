/**
 * The module's folders and their allowed imports. Each boundary is a separate rule, so that a violation names it.
 * `test/architecture/dependency-rules.test.ts` plants a bad import for each rule and expects exactly that rule to fire.
 */
const SINKS = '^src/data-sinks/';
const CONSOLE = '^src/console/';
/**
 * The files directly in the module, which wire it together and form its public surface. `settings/`, which checks the
 * options, belongs to them.
 */
const WIRING = `${SINKS}(settings/)?[^/]+$`;
/** Of these, what folders may import: the options' types and the injection tokens. */
const SETTINGS = `${SINKS}data-sinks\\.(options|tokens)\\.ts$`;
/** The console's page: bundled for browsers with everything it imports, and checked by its own tsconfig. */
const PAGE = `${CONSOLE}page/`;
const PUBLISHED = '^src/(data-sinks|console|receiver)/';

/**
 * The module's folders and what each may import besides itself. A folder missing from a list is above it, or beside it
 * without an arrow in the picture of ARCHITECTURE.md.
 */
const GROUND = ['domain', 'tools'];
const STORES = [...GROUND, 'ports', 'database'];
/** No HTTP client among them: how bytes leave is for the destinations alone. */
const SENDING = [...STORES, 'vault', 'telemetry', 'payload', 'destinations', 'queue'];
const ROOMS = {
  domain: [],
  tools: ['domain'],
  routes: GROUND,
  ports: GROUND,
  database: [...GROUND, 'ports'],
  egress: GROUND,
  telemetry: STORES,
  vault: STORES,
  payload: [...STORES, 'telemetry'],
  queue: [...STORES, 'telemetry'],
  destinations: [...STORES, 'egress', 'payload', 'api/dto'],
  settlement: SENDING,
  delivery: [...SENDING, 'settlement'],
  sinks: [...SENDING, 'settlement', 'delivery', 'api/dto'],
  intake: [...SENDING, 'delivery', 'sinks'],
  recovery: [...SENDING, 'settlement', 'delivery', 'sinks'],
  upkeep: [...SENDING, 'settlement', 'intake', 'sinks', 'recovery'],
  'api/dto': [...GROUND, 'database'],
  api: [...SENDING, 'routes', 'delivery', 'settlement', 'intake', 'sinks', 'recovery'],
};
/**
 * Folders that may not import tokens and options. `egress`, whose types some options use, gets its settings injected.
 */
const NOT_INJECTED = ['domain', 'tools', 'api/dto'];

const package_ = (...names) => `(^|/)node_modules/(${names.join('|')})/`;
const NODE_NETWORK = '^(node:)?(http|https|http2|net|tls|dgram)$';

const rule = (name, comment, from, to) => ({ name, severity: 'error', comment, from, to });

const roomRules = Object.entries(ROOMS).map(([room, below]) =>
  rule(
    `${room.replace('/', '-')}-imports-what-is-below-it`,
    `${room} may import ${below.join(', ') || 'nothing but itself'}.`,
    { path: `${SINKS}${room}/`, ...(room === 'api' && { pathNot: `${SINKS}api/dto/` }) },
    {
      path: [SINKS, CONSOLE],
      pathNot: [`${SINKS}(${[room, ...below].join('|')})/`, ...(NOT_INJECTED.includes(room) ? [] : [SETTINGS])],
    },
  ),
);

module.exports = {
  forbidden: [
    ...roomRules,
    rule(
      'domain-is-pure',
      'The domain is plain functions: no framework, no ORM, nothing of Node but hashing; two small libraries.',
      { path: `${SINKS}domain/` },
      { pathNot: ['^src/', '^(node:)?crypto$', package_('ipaddr\\.js', 'lru-cache')] },
    ),
    rule(
      'ports-are-plain',
      'A port speaks in the domain’s words, so that a host’s adapter needs nothing else of ours.',
      { path: `${SINKS}ports/` },
      { pathNot: ['^src/', '^(node:)?stream$', package_('@nestjs/common', 'lru-cache')] },
    ),
    rule(
      'destinations-do-not-meet',
      'Each type of destination is a folder that can be taken out.',
      { path: `${SINKS}destinations/([^/]+)/` },
      { path: `${SINKS}destinations/[^/]+/`, pathNot: `${SINKS}destinations/$1/` },
    ),
    rule(
      'destinations-by-their-port',
      'What stands above the destinations is the same for every type of sink; it knows the port and the registry.',
      { path: SINKS, pathNot: [`${SINKS}destinations/`, WIRING, `${SINKS}testing/`] },
      { path: `${SINKS}destinations/[^/]+/` },
    ),
    rule(
      'console-knows-the-ground-alone',
      'The page calls the API over HTTP, and the module binds both. How routes live in a host is the same for both.',
      { path: CONSOLE, pathNot: PAGE },
      { path: SINKS, pathNot: `${SINKS}(domain|tools|routes)/` },
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
      'The ORM stays in database, in the statements beside their steps, and in the module’s wiring.',
      { path: SINKS, pathNot: [`${SINKS}(database|payload|vault)/`, '\\.(sql|repository)\\.ts$', WIRING] },
      { path: package_('typeorm', '@nestjs/typeorm') },
    ),
    rule(
      'bull-only-wakes',
      'Bull is in maintenance and may become BullMQ: it stays behind the Wakeup port.',
      { path: SINKS, pathNot: [`${SINKS}queue/wakeup/`, WIRING] },
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
      { path: SINKS, pathNot: [`${SINKS}(index|bull|s3)\\.ts$`, `${SINKS}testing/`] },
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
      'Files that need each other are one file, or miss a third. Cycles of types count: they tie the readers of both.',
      {},
      { circular: true },
    ),
    rule(
      'no-orphans',
      'A file that imports nothing and that nothing imports.',
      {
        orphan: true,
        pathNot: [
          '\\.d\\.ts$',
          '^test/support/stub\\.ts$',
          '^src/main\\.ts$',
          '^test/support/platform/on-services\\.js$',
        ],
      },
      {},
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Type imports count, too: a type is knowledge of another layer.
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
