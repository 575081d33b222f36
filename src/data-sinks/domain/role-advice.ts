import type { ROLE_ERROR_CODES } from './attempt.js';

type Said = { readonly step: 'credentials' | 'region' | 'ours'; readonly advice: string };

/** Explains the error codes of sinks that write with a role, as `ATTEMPT_ADVICE` does for all. */
export const ROLE_ADVICE: Readonly<Record<(typeof ROLE_ERROR_CODES)[number], Said>> = {
  role_denied: {
    step: 'credentials',
    advice:
      'AWS does not let us assume config.roleArn. Check that there is such a role, that its trust policy is the one that this data source shows (our principal, this external id), and that no other policy denies it.',
  },
  role_without_external_id: {
    step: 'credentials',
    advice:
      'The role can be assumed without the external id, so that anybody who guesses its name could have us write with it. Nothing was written. Put the condition on sts:ExternalId into its trust policy, as this data source shows it.',
  },
  role_session_refused: {
    step: 'credentials',
    advice:
      'AWS did not accept what we asked of this role. Check config.roleArn; make config.prefix shorter; look for session tags or a source identity that its trust policy demands.',
  },
  role_region_disabled: {
    step: 'region',
    advice:
      'Your account has switched off sessions in the region of the bucket. Activate STS there, in the account settings of IAM.',
  },
  role_throttled: {
    step: 'ours',
    advice: 'AWS asks us for fewer requests for sessions of roles. It costs you no retry, and it is tried again.',
  },
  role_service_unavailable: {
    step: 'ours',
    advice:
      'AWS’s service for sessions of roles was not reached, or did not answer as it should. It costs you no retry, and it is tried again.',
  },
  role_credentials_refused: {
    step: 'ours',
    advice:
      'AWS refuses our own credentials, with which we assume your role. It costs you no retry, and it is tried again.',
  },
};
