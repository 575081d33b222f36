import { validateCustomHeaders } from '../core/custom-headers.js';
import type { HttpsWebhookConfig } from '../core/data-sink.js';
import { parseEndpointUrl } from '../core/endpoint-url.js';
import { ROW_FIELDS, type RowField } from '../core/job-completed.js';
import type { NetworkPolicy } from '../core/network-policy.js';
import type { RuleViolation } from '../core/rules.js';
import { invalid } from './request-validation.pipe.js';

/** A configuration as it was asked for: the names of fields are still anybody's. */
export type GivenConfig = Omit<HttpsWebhookConfig, 'includeFields'> & {
  readonly includeFields: readonly string[] | null;
};

/**
 * Judges a sink's configuration as a whole, and puts its URL into the parser's form and its fields into their order.
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
  return { ...config, url: url.url.href, includeFields: chosenFields(config.includeFields) };
}

function unknownFields(names: readonly string[] | null): RuleViolation[] {
  return (names ?? []).flatMap((name, i) => {
    if (ROW_FIELDS.some((field) => field === name)) return [];
    return [{ pointer: `/config/includeFields/${i}`, detail: `must be one of ${ROW_FIELDS.join(', ')}` }];
  });
}

/** In the contract's order, and with the row's id in any case: without it a row is of no use. */
function chosenFields(names: readonly string[] | null): RowField[] | null {
  return names && ROW_FIELDS.filter((field) => field === 'partnerRowId' || names.includes(field));
}

function usernameProblem({ authScheme, username }: GivenConfig): RuleViolation[] {
  if (username === null) return [];
  const pointer = '/config/username';
  if (authScheme !== 'Basic') return [{ pointer, detail: `is for Basic only, not for ${authScheme}` }];
  // RFC 7617: the first colon ends the user's name.
  return /^[\x20-\x39\x3b-\x7e]+$/.test(username)
    ? []
    : [{ pointer, detail: 'must be printable ASCII without a colon' }];
}
