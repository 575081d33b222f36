import { useState } from 'preact/hooks';
import type { Delivery } from '../api/types.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { Button } from '../ui/button.js';
import { BodyDialog } from './body-dialog.js';
import { BodyProblem } from './body-problem.js';
import { canShow, readWhole } from './body-start.js';

/** Looks into the bytes of a delivery, and takes them home. */
export function BodyActions({ delivery }: { delivery: Delivery }) {
  const api = useApi();
  const [isShown, setShown] = useState(false);
  const downloading = useAction(async () => {
    save(await readWhole(await api.payload(delivery.id)), fileName(delivery));
  });
  return (
    <>
      <div class="form-actions">
        <Button disabled={!canShow(delivery)} onClick={() => setShown(true)}>
          Show the body
        </Button>
        <Button isBusy={downloading.isRunning} onClick={() => void downloading.run()}>
          Download
        </Button>
      </div>
      {!canShow(delivery) && <p class="small quiet">This browser cannot unpack gzip: download it.</p>}
      <BodyProblem problem={downloading.problem} />
      {isShown && <BodyDialog delivery={delivery} onClose={() => setShown(false)} />}
    </>
  );
}

/** The token goes in a header, so no link can lead to the bytes: they are fetched, and handed to the browser to be kept. */
function save(bytes: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(bytes);
  link.download = name;
  link.click();
  // Not before the browser has begun to read it.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function fileName({ id, format, compression }: Delivery): string {
  return `${id}.${format.toLowerCase()}${compression === 'gzip' ? '.gz' : ''}`;
}
