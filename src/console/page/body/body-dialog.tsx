import type { Problem } from '../api/problem.js';
import type { Delivery } from '../api/types.js';
import { useApi } from '../app/session.js';
import { useResource } from '../app/use-resource.js';
import { size } from '../text/format.js';
import { Button } from '../ui/button.js';
import { Code } from '../ui/code.js';
import { Dialog } from '../ui/dialog.js';
import { Skeleton } from '../ui/states.js';
import { BodyProblem } from './body-problem.js';
import { type BodyStart, readStart } from './body-start.js';

/** The beginning of the sent body, as text. */
export function BodyDialog({ delivery, onClose }: { delivery: Delivery; onClose: () => void }) {
  const api = useApi();
  const start = useResource<BodyStart>(`body ${delivery.id} ${delivery.payload?.sha256 ?? ''}`, async () =>
    readStart(await api.payload(delivery.id), delivery),
  );
  const { data, problem } = start;
  return (
    <Dialog title="Body" onClose={onClose} isWide>
      <div class="stack">
        {data ? (
          <>
            <p class="small quiet">{saysOf(delivery, data)}</p>
            <Code text={data.text} what="the body" />
          </>
        ) : (
          <NotYet problem={problem} />
        )}
        <div class="dialog-actions">
          <Button onClick={onClose}>Close</Button>
        </div>
      </div>
    </Dialog>
  );
}

function saysOf({ format, compression, payload }: Delivery, { isWhole }: BodyStart): string {
  return [
    `${format}, ${size(payload?.bytes ?? 0)}`,
    ...(compression === 'gzip' ? [' compressed with gzip, unpacked here'] : []),
    isWhole
      ? format === 'JSON'
        ? '. Laid out for reading: download it for the exact bytes.'
        : '.'
      : '. The first 16 KB.',
  ].join('');
}

function NotYet({ problem }: { problem: Problem | null }) {
  return problem ? <BodyProblem problem={problem} /> : <Skeleton lines={3} />;
}
