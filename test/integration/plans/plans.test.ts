import { describePlans } from './plan-costs.js';

/** 10,000,000 in the bench (`npm run bench -- --only plans`). */
const ATTEMPTS = Number(process.env['PLAN_ATTEMPTS'] ?? 100_000);

describePlans({ settled: ATTEMPTS / 2, backlog: 2_500 }, 300_000 + ATTEMPTS / 5);
