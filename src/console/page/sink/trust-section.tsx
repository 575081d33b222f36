import type { Sink } from '../api/types.js';
import { Code } from '../ui/code.js';
import { hasRole, s3ConfigOf } from './s3-sink.js';

/** Whom the sink's role has to trust, to copy; nothing for a sink without one. */
export function TrustSection({ sink }: { readonly sink: Sink }) {
  if (!hasRole(sink)) return null;
  const { roleArn, externalId } = s3ConfigOf(sink);
  return (
    <section class="stack" aria-labelledby="trust-title">
      <h2 id="trust-title">Trust</h2>
      <dl class="facts">
        <dt>Role</dt>
        <dd class="mono break">{roleArn}</dd>
        <dt>External id</dt>
        <dd class="mono break">{externalId}</dd>
      </dl>
      {sink.trustPolicy !== null && (
        <>
          <p class="quiet">
            Give the role this trust policy. The external id is your workspace’s and never changes; a role that can be
            assumed without it is not used.
          </p>
          <Code text={sink.trustPolicy} what="the trust policy" />
        </>
      )}
    </section>
  );
}
