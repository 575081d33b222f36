import { validateCustomHeaders } from '../core/custom-headers.js';
import type { HttpsWebhookConfig } from '../core/data-sink.js';
import { parseEndpointUrl } from '../core/endpoint-url.js';
import type { NetworkPolicy } from '../core/network-policy.js';
import type { RuleViolation } from '../core/rules.js';
import { invalid } from './request-validation.pipe.js';

/**
 * Judges a sink's configuration as a whole and puts its URL into the parser's form.
 * @throws ProblemError `validation-failed`
 */
export function acceptConfig(
  config: HttpsWebhookConfig,
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
  ];
  if (!url.ok || violations.length > 0) throw invalid(violations);
  return { ...config, url: url.url.href };
}

function usernameProblem({ authScheme, username }: HttpsWebhookConfig): RuleViolation[] {
  if (username === null) return [];
  const pointer = '/config/username';
  if (authScheme !== 'Basic') return [{ pointer, detail: `is for Basic only, not for ${authScheme}` }];
  // RFC 7617: the first colon ends the user's name.
  return /^[\x20-\x39\x3b-\x7e]+$/.test(username)
    ? []
    : [{ pointer, detail: 'must be printable ASCII without a colon' }];
}
