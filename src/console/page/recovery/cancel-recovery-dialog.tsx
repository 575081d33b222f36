import type { Recovery, Sink } from '../api/types.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { counted } from '../text/format.js';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { ProblemNotice } from '../ui/notice.js';

interface CancelParts {
  readonly sink: Sink;
  readonly recovery: Recovery;
  readonly onClose: () => void;
  readonly onCancelled: () => Promise<void>;
}

export function CancelRecoveryDialog({ sink, recovery, onClose, onCancelled }: CancelParts) {
  const api = useApi();
  const left = recovery.total - recovery.redelivered;
  const cancelling = useAction(async () => {
    await api.cancelRecovery(sink.agentId, sink.id, recovery.id);
    await onCancelled();
    onClose();
  });
  return (
    <Dialog title="Cancel the recovery?" onClose={onClose}>
      <div class="stack">
        <p>
          {left > 0
            ? `${counted(left, 'delivery that was', 'deliveries that were')} not made due yet stay failed; you can recover them later.`
            : 'Everything was made due already.'}{' '}
          What was made due goes its way.
        </p>
        <ProblemNotice problem={cancelling.problem} />
        <div class="dialog-actions">
          <Button onClick={onClose}>Let it go on</Button>
          <Button kind="danger" isBusy={cancelling.isRunning} onClick={() => void cancelling.run()}>
            Cancel the recovery
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
