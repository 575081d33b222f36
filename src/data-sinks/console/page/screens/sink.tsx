import { useState } from 'preact/hooks';
import type { Sink } from '../api/types.js';
import { goTo, type SinkTab, to } from '../app/router.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { useResource } from '../app/use-resource.js';
import { AttemptsPanel } from '../sink/attempts-panel.js';
import { DeliveriesPanel } from '../sink/deliveries-panel.js';
import { PushDialog } from '../sink/push-dialog.js';
import { SettingsPanel } from '../sink/settings-panel.js';
import { TestPanel } from '../sink/test-panel.js';
import { SINK_STATUS } from '../text/labels.js';
import { Badge } from '../ui/badge.js';
import { Button } from '../ui/button.js';
import { Notice, ProblemNotice } from '../ui/notice.js';
import { Screen } from '../ui/screen.js';
import { Loaded } from '../ui/states.js';

const POLL_MS = 15_000;

const TABS: readonly { readonly tab: SinkTab; readonly text: string }[] = [
  { tab: 'deliveries', text: 'Deliveries' },
  { tab: 'attempts', text: 'Attempts' },
  { tab: 'test', text: 'Test' },
  { tab: 'settings', text: 'Settings' },
];

interface SinkParts {
  readonly agentId: string;
  readonly sinkId: string;
  readonly tab: SinkTab;
}

export function SinkScreen({ agentId, sinkId, tab }: SinkParts) {
  const api = useApi();
  const sink = useResource(`sink ${sinkId}`, () => api.sink(agentId, sinkId), POLL_MS);
  const agent = useResource(`agent ${agentId}`, () => api.agent(agentId));
  return (
    <Screen
      title={sink.data?.name ?? 'Data source'}
      crumbs={[
        { text: 'Agents', href: to.agents() },
        { text: agent.data?.name ?? 'Agent', href: to.agent(agentId) },
      ]}
      beside={sink.data && <Badge label={SINK_STATUS[sink.data.status]} />}
      lead={sink.data && <span class="mono break">{sink.data.config.url}</span>}
      actions={sink.data && <SinkActions sink={sink.data} onChanged={sink.reload} />}
    >
      <Loaded of={sink} lines={6}>
        {(data) => (
          <>
            <nav class="tabs" aria-label="Parts of this data source">
              {TABS.map(({ tab: other, text }) => (
                <a key={other} href={to.sink(agentId, sinkId, other)} aria-current={other === tab ? 'page' : undefined}>
                  {text}
                </a>
              ))}
            </nav>
            {data.status === 'DISABLED' && (
              <div class="before-panel">
                <Notice tone="bad" title="Nothing is sent: too many deliveries failed">
                  Mend the endpoint, then <a href={to.sink(agentId, sinkId, 'test')}>send a test</a>: when it passes,
                  the data source is active again.
                </Notice>
              </div>
            )}
            <Panel sink={data} tab={tab} onChanged={sink.reload} />
          </>
        )}
      </Loaded>
    </Screen>
  );
}

interface PanelParts {
  readonly sink: Sink;
  readonly tab: SinkTab;
  readonly onChanged: () => Promise<void>;
}

function Panel({ sink, tab, onChanged }: PanelParts) {
  switch (tab) {
    case 'deliveries':
      return <DeliveriesPanel sink={sink} />;
    case 'attempts':
      return <AttemptsPanel sink={sink} />;
    case 'test':
      return <TestPanel sink={sink} onChanged={onChanged} />;
    case 'settings':
      return <SettingsPanel sink={sink} onChanged={onChanged} />;
  }
}

function SinkActions({ sink, onChanged }: Omit<PanelParts, 'tab'>) {
  const api = useApi();
  const [isPushing, setPushing] = useState(false);
  const isActive = sink.status === 'ACTIVE';
  const toggling = useAction(async () => {
    await api.changeSink(sink.agentId, sink.id, { status: isActive ? 'INACTIVE' : 'ACTIVE' });
    await onChanged();
  });
  return (
    <>
      <Button icon="up" onClick={() => setPushing(true)}>
        Push a job
      </Button>
      <Button isBusy={toggling.isRunning} onClick={() => void toggling.run()}>
        {isActive ? 'Pause' : 'Resume'}
      </Button>
      <div class="actions-say">
        <ProblemNotice problem={toggling.problem} />
      </div>
      {isPushing && (
        <PushDialog sink={sink} onClose={() => setPushing(false)} onPushed={({ id }) => goTo(to.delivery(id))} />
      )}
    </>
  );
}
