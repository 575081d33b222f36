// @ts-check

/** A `setupFiles` entry: the same test files once more, on PostgreSQL and Redis in the place of PGlite and timers. */
process.env['TEST_MODE'] = 'services';
