import type { DeliveryWithAttempts } from '../api/types.js';
import { to } from '../app/router.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { useResource } from '../app/use-resource.js';
import { AttemptItem } from '../sink/attempt-item.js';
import { count, partOf, size } from '../text/format.js';
import { DELIVERY_REASON, DELIVERY_STATUS, DELIVERY_TRIGGER } from '../text/labels.js';
import { Badge } from '../ui/badge.js';
import { Button } from '../ui/button.js';
import { CopyButton } from '../ui/copy-button.js';
import { NextAttempt } from '../ui/next-attempt.js';
import { Notice, ProblemNotice } from '../ui/notice.js';
import { Screen } from '../ui/screen.js';
import { Loaded } from '../ui/states.js';
import { Time } from '../ui/time.js';
import { UpgradeCard } from '../ui/upgrade-card.js';

const POLL_MS = 1_500;
const POLL_SETTLED_MS = 10_000;

export function DeliveryScreen({ deliveryId }: { deliveryId: string }) {
  const api = useApi();
  const load = (): Promise<DeliveryWithAttempts> => api.delivery(deliveryId);
  const quick = useResource<DeliveryWithAttempts>(`delivery ${deliveryId}`, load, (delivery) =>
    delivery !== null && delivery.settledAt !== null ? POLL_SETTLED_MS : POLL_MS,
  );
  const { data } = quick;
  const agentId = data?.agentId ?? null;
  const agent = useResource(`agent of ${deliveryId} ${agentId ?? ''}`, () => loadAgent(api, agentId));
  const sink = useResource(`sink of ${data?.dataSourceId ?? ''}`, () => loadSink(api, data));
  return (
    <Screen
      title="Delivery"
      crumbs={[
        { text: 'Agents', href: to.agents() },
        ...(data && agentId !== null
          ? [
              { text: agent.data?.name ?? 'Agent', href: to.agent(agentId) },
              { text: sink.data?.name ?? 'Data source', href: to.sink(agentId, data.dataSourceId) },
            ]
          : []),
      ]}
      beside={data && <Badge label={DELIVERY_STATUS[data.status]} />}
      lead={
        data && (
          <>
            <span class="mono break">{data.jobId}</span>
            {data.part && `, ${partOf(data.part)}`}
          </>
        )
      }
      actions={data && <Redeliver delivery={data} onDone={quick.reload} />}
    >
      <Loaded of={quick} lines={6}>
        {(delivery) => <DeliveryParts delivery={delivery} />}
      </Loaded>
    </Screen>
  );
}

async function loadAgent(api: ReturnType<typeof useApi>, agentId: string | null) {
  return agentId === null ? null : api.agent(agentId);
}

/** Null once it was deleted: its history stays. */
async function loadSink(api: ReturnType<typeof useApi>, delivery: DeliveryWithAttempts | null) {
  return delivery && (await api.sink(delivery.agentId, delivery.dataSourceId).catch(() => null));
}

function Redeliver({ delivery, onDone }: { delivery: DeliveryWithAttempts; onDone: () => Promise<void> }) {
  const api = useApi();
  const redelivering = useAction(async () => {
    await api.redeliver(delivery.id);
    await onDone();
  });
  if (delivery.settledAt === null) return null;
  return (
    <>
      <Button kind="primary" isBusy={redelivering.isRunning} onClick={() => void redelivering.run()}>
        Redeliver
      </Button>
      <div class="actions-say">
        <ProblemNotice problem={redelivering.problem} />
      </div>
    </>
  );
}

function DeliveryParts({ delivery }: { delivery: DeliveryWithAttempts }) {
  const { attempts, attemptCount, status, nextAttemptAt, reason, retriesSpent, retriesAllowed } = delivery;
  return (
    <div class="delivery">
      <section class="stack" aria-labelledby="timeline-title">
        {reason === 'plan_required' ? (
          <UpgradeCard />
        ) : (
          reason && <Notice tone={status === 'FAILED' ? 'bad' : 'info'}>{DELIVERY_REASON[reason]}</Notice>
        )}
        <h2 id="timeline-title">
          Attempts{' '}
          {attemptCount > attempts.length && (
            <span class="quiet small">
              the last {count(attempts.length)} of {count(attemptCount)}
            </span>
          )}
        </h2>
        <ol class="timeline" aria-label="Attempts, newest first">
          {nextAttemptAt !== null && status !== 'IN_FLIGHT' && (
            <li class="attempt attempt-next">
              <div class="attempt-head">
                <NextAttempt at={nextAttemptAt} />
                <span class="quiet">
                  retry {retriesSpent} of {retriesAllowed}
                </span>
              </div>
            </li>
          )}
          {attempts.map((attempt) => (
            <AttemptItem key={attempt.id} attempt={attempt} />
          ))}
        </ol>
        {attemptCount > attempts.length && (
          <p>
            <a href={to.sink(delivery.agentId, delivery.dataSourceId, 'attempts')}>All attempts of this data source</a>
          </p>
        )}
        {attempts.length === 0 && nextAttemptAt === null && <p class="quiet">Nothing was sent.</p>}
      </section>
      <DeliveryFacts delivery={delivery} />
    </div>
  );
}

function DeliveryFacts({ delivery }: { delivery: DeliveryWithAttempts }) {
  const { payload, trigger, run, createdAt, settledAt, retriesSpent, retriesAllowed } = delivery;
  return (
    <aside class="card pad stack" aria-label="Body and facts">
      <h2>Body</h2>
      {payload === null ? (
        <p class="quiet">It is made right before the first attempt.</p>
      ) : (
        <dl class="facts">
          <dt>Rows</dt>
          <dd>{count(payload.rows)}</dd>
          <dt>Size</dt>
          <dd title={`${count(payload.bytes)} bytes`}>{size(payload.bytes)}</dd>
          <dt>SHA-256</dt>
          <dd>
            <span class="mono break small">{payload.sha256}</span>
            <CopyButton text={payload.sha256} what="the SHA-256 of the body" />
          </dd>
        </dl>
      )}
      {payload !== null && <p class="small quiet">Every attempt sends exactly these bytes.</p>}
      <h2>Facts</h2>
      <dl class="facts">
        <dt>Id</dt>
        <dd>
          <span class="mono break small">{delivery.id}</span>
          <CopyButton text={delivery.id} what="the delivery’s id" />
        </dd>
        <dt>Asked for by</dt>
        <dd>{DELIVERY_TRIGGER[trigger]}</dd>
        {run > 1 && (
          <>
            <dt>Run</dt>
            <dd>{run}</dd>
          </>
        )}
        <dt>Retries</dt>
        <dd>
          {retriesSpent} of {retriesAllowed} used
        </dd>
        <dt>Made</dt>
        <dd>
          <Time at={createdAt} />
        </dd>
        {settledAt !== null && (
          <>
            <dt>Settled</dt>
            <dd>
              <Time at={settledAt} />
            </dd>
          </>
        )}
      </dl>
    </aside>
  );
}
