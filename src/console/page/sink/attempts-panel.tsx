import { useState } from 'preact/hooks';
import type { Attempt, Page, Sink } from '../api/types.js';
import { to } from '../app/router.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { useResource } from '../app/use-resource.js';
import { counted } from '../text/format.js';
import { Button } from '../ui/button.js';
import { ProblemNotice } from '../ui/notice.js';
import { Empty, Loaded } from '../ui/states.js';
import { AttemptItem } from './attempt-item.js';

const PAGE = 100;

/**
 * All attempts of the data source, newest first. Not refreshed automatically, so that it does not move while being
 * read.
 */
export function AttemptsPanel({ sink }: { sink: Sink }) {
  const api = useApi();
  const first = useResource<Page<Attempt>>(`attempts ${sink.id}`, () => api.attempts(sink.agentId, sink.id, PAGE));
  return (
    <Loaded of={first} lines={6}>
      {(page) =>
        page.items.length === 0 ? (
          <Empty icon="clock" title="No attempts yet">
            Each time something is sent, one entry is made here before it leaves. Tests are not listed.
          </Empty>
        ) : (
          <AttemptPages sink={sink} first={page} />
        )
      }
    </Loaded>
  );
}

function AttemptPages({ sink, first }: { sink: Sink; first: Page<Attempt> }) {
  const api = useApi();
  const [page, setPage] = useState(first);
  const loading = useAction(async () => {
    const next = await api.attempts(sink.agentId, sink.id, PAGE, page.nextCursor ?? undefined);
    setPage({ items: [...page.items, ...next.items], nextCursor: next.nextCursor });
  });
  return (
    <div class="stack">
      <p class="quiet small" role="status">
        {page.nextCursor === null ? 'All' : 'The newest'} {counted(page.items.length, 'attempt')}
      </p>
      <ol class="timeline" aria-label="Attempts, newest first">
        {page.items.map((attempt) => (
          <AttemptItem key={attempt.id} attempt={attempt} deliveryHref={to.delivery(attempt.deliveryId)} />
        ))}
      </ol>
      <ProblemNotice problem={loading.problem} />
      {page.nextCursor !== null && (
        <div>
          <Button isBusy={loading.isRunning} onClick={() => void loading.run()}>
            Show older
          </Button>
        </div>
      )}
    </div>
  );
}
