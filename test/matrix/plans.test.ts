import { describePlans } from '../integration/plans/plan-costs.js';

describePlans({ settled: 1_000_000, backlog: 20_000 }, 1_800_000);
