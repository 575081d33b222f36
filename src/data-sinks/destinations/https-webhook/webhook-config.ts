import { headersToSend, validateCustomHeaders } from '../../domain/custom-headers.js';
import { FORMAT_DEFAULTS, type HttpsWebhookConfig } from '../../domain/data-sink.js';
import { parseEndpointUrl } from '../../domain/endpoint-url.js';
import { BODY_FIELDS, bodyFields } from '../../domain/job-completed.js';
import type { NetworkPolicy } from '../../domain/network-policy.js';
import type { RuleViolation } from '../../domain/data-sink-rules.js';
import { invalid } from '../../domain/invalid-request.js';

/** A configuration as it was asked for: the names of fields are still anybody's. */
type GivenConfig = Omit<HttpsWebhookConfig, 'includeFields'> & {
  readonly includeFields: readonly string[] | null;
};

/** What a request may leave out. */
export type GivenFields = Partial<GivenConfig>;

/** With what a new sink has where nothing was said. */
export function newConfig(given: GivenFields): GivenConfig {
  return {
    url: given.url ?? '',
    authScheme: given.authScheme ?? 'HmacSha256',
    username: given.username ?? null,
    customHeaders: given.customHeaders ?? [],
    retryableStatuses: given.retryableStatuses ?? [],
    compression: given.compression ?? 'none',
    includeFields: given.includeFields ?? null,
    maxRowsPerPush: given.maxRowsPerPush ?? null,
    maxPushesPerSecond: given.maxPushesPerSecond ?? null,
    sendTraceparent: given.sendTraceparent ?? false,
    csvFormulas: given.csvFormulas ?? FORMAT_DEFAULTS.csvFormulas,
    parquetCodec: given.parquetCodec ?? FORMAT_DEFAULTS.parquetCodec,
  };
}

/**
 * What a sink has after a change. A header that was saved under older rules, and is not sent any more, must not be in the
 * way of every other change; a change of scheme leaves no username behind that the new scheme does not know.
 */
export function changedConfig(before: HttpsWebhookConfig, change: GivenFields): GivenConfig {
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
  const { authScheme = before.authScheme, username } = change;
  const forScheme = authScheme !== 'Basic' && username === undefined ? { username: null } : {};
  return { ...before, customHeaders: headersToSend(before.customHeaders, []), ...given, ...forScheme };
}

/**
 * Validates a sink's configuration and normalises its URL and the order of its fields.
 * @throws ProblemError `validation-failed`
 */
export function acceptConfig(
  config: GivenConfig,
  policy: NetworkPolicy,
  allowedPorts: readonly number[],
): HttpsWebhookConfig {
  const url = parseEndpointUrl(config.url, policy, { allowedPorts });
  const violations: RuleViolation[] = [
    ...(url.ok ? [] : [{ pointer: '/config/url', detail: url.detail }]),
    ...usernameProblem(config),
    ...validateCustomHeaders(config.customHeaders).map(({ pointer, detail }) => ({
      pointer: `/config/customHeaders${pointer}`,
      detail,
    })),
    ...unknownFields(config.includeFields),
  ];
  if (!url.ok || violations.length > 0) throw invalid(violations);
  return { ...config, url: url.url.href, includeFields: bodyFields(config.includeFields) };
}

function unknownFields(names: readonly string[] | null): RuleViolation[] {
  return (names ?? []).flatMap((name, i) => {
    if (BODY_FIELDS.some((field) => field === name)) return [];
    return [{ pointer: `/config/includeFields/${i}`, detail: `must be one of ${BODY_FIELDS.join(', ')}` }];
  });
}

function usernameProblem({ authScheme, username }: GivenConfig): RuleViolation[] {
  if (username === null) return [];
  const pointer = '/config/username';
  if (authScheme !== 'Basic') return [{ pointer, detail: `is for Basic only, not for ${authScheme}` }];
  // RFC 7617: the user name ends at the first colon.
  return /^[\x20-\x39\x3b-\x7e]+$/.test(username)
    ? []
    : [{ pointer, detail: 'must be printable ASCII without a colon' }];
}
