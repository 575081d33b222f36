import type { Attempt, Timings } from '../api/types.js';
import { count, duration } from '../text/format.js';
import { ANSWER_ENDING, attemptLabel, DELIVERY_TRIGGER } from '../text/labels.js';
import { Badge } from '../ui/badge.js';
import { Code } from '../ui/code.js';
import { Time } from '../ui/time.js';
import { PhaseBar } from './phase-bar.js';

interface AttemptItemParts {
  readonly attempt: Attempt;
  /** Link to the attempt's delivery, in lists of several deliveries. */
  readonly deliveryHref?: string;
}

/** One recorded POST. */
export function AttemptItem({ attempt, deliveryHref }: AttemptItemParts) {
  const { attemptNumber, httpStatus, startedAt, timings, advice, trigger } = attempt;
  const label = attemptLabel(attempt);
  return (
    <li class={`attempt attempt-${label.tone}`}>
      <div class="attempt-head">
        <span class="attempt-number">Attempt {count(attemptNumber)}</span>
        <Badge label={label} />
        {httpStatus !== null && <span class="mono">HTTP {httpStatus}</span>}
        {timings && <span class="quiet">{duration(timings.totalMs)}</span>}
        <span class="quiet push-right">
          <Time at={startedAt} />
        </span>
      </div>
      {deliveryHref !== undefined && (
        <a class="mono small" href={deliveryHref}>
          {attempt.jobId}
        </a>
      )}
      {advice !== null && <p class="advice">{advice}</p>}
      {timings && hasPhases(timings) && <PhaseBar timings={timings} />}
      <AttemptDetails attempt={attempt} trigger={DELIVERY_TRIGGER[trigger]} />
    </li>
  );
}

function hasPhases({ dnsMs, connectMs, tlsMs, uploadMs, waitMs }: Timings): boolean {
  return [dnsMs, connectMs, tlsMs, uploadMs, waitMs].some((ms) => ms !== null);
}

function AttemptDetails({ attempt, trigger }: { attempt: Attempt; trigger: string }) {
  const { answerExcerpt, answerEnding, errorCode, url, worker, configVersion, id } = attempt;
  const ending = answerEnding === null ? null : ANSWER_ENDING[answerEnding];
  return (
    <details class="attempt-more">
      <summary>
        {answerExcerpt === null || answerExcerpt === '' ? 'Details' : 'Answer and details'}
        <span class="visually-hidden"> of attempt {attempt.attemptNumber}</span>
      </summary>
      <div class="stack tight">
        {answerExcerpt !== null && answerExcerpt !== '' && (
          <Code text={answerExcerpt} what={`answer to attempt ${attempt.attemptNumber}`} copyable={false} />
        )}
        {ending && <p class="small quiet">{ending}</p>}
        <dl class="facts small">
          <dt>Asked for by</dt>
          <dd>{trigger}</dd>
          <dt>Sent to</dt>
          <dd class="mono break">{url}</dd>
          {errorCode !== null && (
            <>
              <dt>Error code</dt>
              <dd class="mono">{errorCode}</dd>
            </>
          )}
          <dt>Settings</dt>
          <dd>version {configVersion}</dd>
          <dt>Attempt id</dt>
          <dd class="mono break">{id}</dd>
          <dt>Made by</dt>
          <dd>worker {worker}</dd>
        </dl>
      </div>
    </details>
  );
}
