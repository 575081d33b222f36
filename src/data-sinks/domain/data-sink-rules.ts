/** The `data_sinks` section of an agent's rule set (contract, section 2). The other sections belong to the host. */
export interface DataSinkRules {
  readonly autoPushOnJobComplete: boolean;
  readonly retryFailedPush: number;
}

export const DEFAULT_RULES: DataSinkRules = Object.freeze({ autoPushOnJobComplete: false, retryFailedPush: 2 });

export const MAX_RETRIES = 10;

/** A validation error; `pointer` is a JSON pointer (RFC 6901) from the document's root. */
export interface RuleViolation {
  readonly pointer: string;
  readonly detail: string;
}

export type RulesResult =
  | { readonly ok: true; readonly rules: DataSinkRules }
  | { readonly ok: false; readonly violations: readonly RuleViolation[] };

const KEYS = ['auto_push_on_job_complete', 'retry_failed_push'] as const;

/**
 * Parses the `data_sinks` section of a rule set. A missing section or key takes its default. An unknown key is an
 * error: a misspelt key would otherwise be ignored until someone misses a push.
 * @param ruleSet the agent's whole rule set
 */
export function parseRules(ruleSet: unknown): RulesResult {
  const section = isRecord(ruleSet) ? ruleSet['data_sinks'] : undefined;
  if (ruleSet !== undefined && ruleSet !== null && !isRecord(ruleSet)) {
    return refuse([{ pointer: '', detail: 'must be an object' }]);
  }
  if (section === undefined) return { ok: true, rules: DEFAULT_RULES };
  if (!isRecord(section)) return refuse([{ pointer: '/data_sinks', detail: 'must be an object' }]);

  const violations: RuleViolation[] = Object.keys(section)
    .filter((key) => !(KEYS as readonly string[]).includes(key))
    .map((key) => ({
      pointer: `/data_sinks/${escapePointer(key)}`,
      detail: `unknown rule; known are ${KEYS.join(' and ')}`,
    }));
  const { auto_push_on_job_complete: autoPush, retry_failed_push: retries } = section;
  if (autoPush !== undefined && typeof autoPush !== 'boolean') {
    violations.push({ pointer: '/data_sinks/auto_push_on_job_complete', detail: 'must be true or false' });
  }
  if (retries !== undefined && !isRetryCount(retries)) {
    violations.push({
      pointer: '/data_sinks/retry_failed_push',
      detail: `must be an integer from 0 to ${MAX_RETRIES}`,
    });
  }
  if (violations.length > 0) return refuse(violations);
  return {
    ok: true,
    rules: {
      autoPushOnJobComplete: autoPush === undefined ? DEFAULT_RULES.autoPushOnJobComplete : autoPush === true,
      retryFailedPush: isRetryCount(retries) ? retries : DEFAULT_RULES.retryFailedPush,
    },
  };
}

/** The agent's current rules. A section that does not parse counts as the default, which pushes nothing. */
export function rulesInForce({ ruleSet }: { readonly ruleSet: unknown }): DataSinkRules {
  const parsed = parseRules(ruleSet);
  return parsed.ok ? parsed.rules : DEFAULT_RULES;
}

function refuse(violations: readonly RuleViolation[]): RulesResult {
  return { ok: false, violations };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRetryCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_RETRIES;
}

function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
