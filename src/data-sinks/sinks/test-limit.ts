import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { OPTIONS } from '../data-sinks.tokens.js';
import { Database } from '../database/database.js';
import type { DataSink } from '../domain/data-sink.js';
import { rateLimited } from '../tools/rate-limit.js';

/** Limit per workspace, as a multiple of the limit per sink. */
const WORKSPACE_SHARE = 5;

/** Tests of one workspace are counted one after the other, in whichever processes they run. */
const ONE_AT_A_TIME = `SELECT pg_advisory_xact_lock(hashtextextended('data-sinks/tests/' || $1, 0))`;

/** Number of Tests in the last minute, deleted sinks included, and seconds until the oldest no longer counts. */
const COUNT = `
SELECT count(*) FILTER (WHERE s.id = $2)::int AS of_sink, count(*)::int AS of_workspace,
       60 - extract(epoch FROM clock_timestamp() - min(t.at) FILTER (WHERE s.id = $2))::float8 AS sink_over_s,
       60 - extract(epoch FROM clock_timestamp() - min(t.at))::float8 AS workspace_over_s
  FROM agent_data_source s CROSS JOIN LATERAL unnest(s.recent_tests) AS t (at)
 WHERE s.workspace_id = $1 AND s.recent_tests <> '{}' AND t.at > clock_timestamp() - interval '1 minute'`;

const ADD = `
UPDATE agent_data_source s
   SET recent_tests = ARRAY(SELECT t.at FROM unnest(s.recent_tests) AS t (at)
                             WHERE t.at > clock_timestamp() - interval '1 minute') || clock_timestamp()
 WHERE s.id = $1`;

interface Counted {
  of_sink: number;
  of_workspace: number;
  sink_over_s: number | null;
  workspace_over_s: number | null;
}

/** Limits the Tests of a sink and of a workspace to a few a minute, over all processes. */
@Injectable()
export class TestLimit {
  readonly #perSink: number;
  readonly #perWorkspace: number;

  constructor(
    private readonly database: Database,
    @Inject(OPTIONS) { testsPerMinute }: ResolvedDataSinksOptions,
  ) {
    this.#perSink = testsPerMinute;
    this.#perWorkspace = testsPerMinute * WORKSPACE_SHARE;
  }

  /** Counts one. @throws ProblemError `rate-limited`; what is refused is not counted */
  async use({ id, workspaceId }: Pick<DataSink, 'id' | 'workspaceId'>): Promise<void> {
    await this.database.transaction(async (transaction) => {
      await transaction.query(ONE_AT_A_TIME, [workspaceId]);
      const [counted] = await transaction.query<Counted>(COUNT, [workspaceId, id]);
      if (!counted) throw new Error('a count answers with one row');
      if (counted.of_sink >= this.#perSink)
        throw rateLimited('Testing a data source', this.#perSink, counted.sink_over_s ?? 0);
      if (counted.of_workspace >= this.#perWorkspace)
        throw rateLimited('Testing in a workspace', this.#perWorkspace, counted.workspace_over_s ?? 0);
      await transaction.execute(ADD, [id]);
    });
  }
}
