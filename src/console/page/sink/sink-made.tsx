import type { SavedSink } from '../api/types.js';
import { to } from '../app/router.js';
import { ButtonLink } from '../ui/button.js';
import { Notice } from '../ui/notice.js';
import { type Crumb, Screen } from '../ui/screen.js';
import { hasRole } from './s3-sink.js';
import { SecretOnce } from './secret-once.js';
import { TrustSection } from './trust-section.js';

/** Shown after a data source was created, when a generated secret can be seen. */
export function SinkMade({ sink, crumbs }: { sink: SavedSink; crumbs: readonly Crumb[] }) {
  const { value } = sink.secret;
  return (
    <Screen title={`${sink.name} is saved`} crumbs={crumbs}>
      <div class="card pad narrow stack">
        {value !== undefined && (
          <>
            <h2>Your signing secret</h2>
            <SecretOnce value={value} />
          </>
        )}
        <TrustSection sink={sink} />
        {value === undefined && !hasRole(sink) && (
          <p>The secret is stored encrypted{sink.secret.hint && ` (${sink.secret.hint})`}.</p>
        )}
        {sink.warnings.map((warning) => (
          <Notice key={warning} tone="warn">
            {warning}
          </Notice>
        ))}
        <p class="quiet">
          Next, send a test: a small, made-up result, signed like a real one. Nothing of yours is sent.
        </p>
        <div class="form-actions">
          <ButtonLink kind="primary" href={to.sink(sink.agentId, sink.id, 'test')}>
            Go on to the test
          </ButtonLink>
          <ButtonLink href={to.agent(sink.agentId)}>Later</ButtonLink>
        </div>
      </div>
    </Screen>
  );
}
