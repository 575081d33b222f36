import { useState } from 'preact/hooks';
import type { Recovery, Sink } from '../api/types.js';
import { goTo, type SinkTab, to } from '../app/router.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { useResource } from '../app/use-resource.js';
import { RecoverDialog } from '../recovery/recover-dialog.js';
import { RecoveryProgress } from '../recovery/recovery-progress.js';
import { AttemptsPanel } from '../sink/attempts-panel.js';
import { DeliveriesPanel } from '../sink/deliveries-panel.js';
import { PushDialog } from '../sink/push-dialog.js';
import { SettingsPanel } from '../sink/settings-panel.js';
import { SinkState, sinkLabel } from '../sink/sink-state.js';
import { TestPanel } from '../sink/test-panel.js';
import { Badge } from '../ui/badge.js';
import { Button } from '../ui/button.js';
import { ProblemNotice } from '../ui/notice.js';
import { Screen } from '../ui/screen.js';
import { Loaded } from '../ui/states.js';
import { placeOf } from '../sink/s3-sink.js';

const POLL_MS = 15_000;
const POLL_RECOVERING_MS = 1_500;

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
  const last = useResource<LastRecovery>(
    `recovery ${sinkId}`,
    () => api.lastRecovery(agentId, sinkId),
    (found) => (isUnderWay(found?.recovery ?? null) ? POLL_RECOVERING_MS : POLL_MS),
  );
  const recovery = last.data?.recovery ?? null;
  return (
    <Screen
      title={sink.data?.name ?? 'Data source'}
      crumbs={[
        { text: 'Agents', href: to.agents() },
        { text: agent.data?.name ?? 'Agent', href: to.agent(agentId) },
      ]}
      beside={sink.data && <Badge label={sinkLabel(sink.data)} />}
      lead={sink.data && <span class="mono break">{placeOf(sink.data)}</span>}
      actions={sink.data && <SinkActions sink={sink.data} onChanged={sink.reload} onRecovering={last.reload} />}
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
            <div class="before-panel">
              <SinkState sink={data} />
              {recovery && (tab === 'deliveries' || isUnderWay(recovery)) && (
                <RecoveryProgress sink={data} recovery={recovery} onChanged={last.reload} />
              )}
            </div>
            <Panel sink={data} tab={tab} onChanged={sink.reload} />
          </>
        )}
      </Loaded>
    </Screen>
  );
}

interface LastRecovery {
  readonly recovery: Recovery | null;
}

/** Also after a cancellation, until the deliveries made due have ended. */
function isUnderWay(recovery: Recovery | null): boolean {
  return recovery !== null && recovery.finishedAt === null;
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

interface ActionsParts extends Omit<PanelParts, 'tab'> {
  readonly onRecovering: () => Promise<void>;
}

function SinkActions({ sink, onChanged, onRecovering }: ActionsParts) {
  const api = useApi();
  const [open, setOpen] = useState<'push' | 'recover' | null>(null);
  const close = (): void => setOpen(null);
  const showRecovery = async (): Promise<void> => {
    await onRecovering();
    close();
    goTo(to.sink(sink.agentId, sink.id));
  };
  const isActive = sink.status === 'ACTIVE';
  const toggling = useAction(async () => {
    await api.changeSink(sink.agentId, sink.id, { status: isActive ? 'INACTIVE' : 'ACTIVE' });
    await onChanged();
  });
  return (
    <>
      <Button icon="up" onClick={() => setOpen('push')}>
        Push a job
      </Button>
      <Button icon="redo" onClick={() => setOpen('recover')}>
        Recover
      </Button>
      <Button isBusy={toggling.isRunning} onClick={() => void toggling.run()}>
        {isActive ? 'Pause' : 'Resume'}
      </Button>
      <div class="actions-say">
        <ProblemNotice problem={toggling.problem} />
      </div>
      {open === 'push' && <PushDialog sink={sink} onClose={close} onPushed={({ id }) => goTo(to.delivery(id))} />}
      {open === 'recover' && <RecoverDialog sink={sink} onClose={close} onStarted={showRecovery} />}
    </>
  );
}
