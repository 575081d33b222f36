import { useState } from 'preact/hooks';
import type { Delivery } from '../api/types.js';
import { useApi } from '../app/session.js';
import { useAction } from '../app/use-action.js';
import { Button } from '../ui/button.js';
import { BodyDialog } from './body-dialog.js';
import { BodyProblem } from './body-problem.js';
import { readWhole, whyNotShown } from './body-start.js';

/** Shows and downloads the bytes of a delivery. */
export function BodyActions({ delivery }: { delivery: Delivery }) {
  const api = useApi();
  const [isShown, setShown] = useState(false);
  const downloading = useAction(async () => {
    save(await readWhole(await api.payload(delivery.id)), fileName(delivery));
  });
  const notShown = whyNotShown(delivery);
  return (
    <>
      <div class="form-actions">
        <Button disabled={notShown !== null} onClick={() => setShown(true)}>
          Show the body
        </Button>
        <Button isBusy={downloading.isRunning} onClick={() => void downloading.run()}>
          Download
        </Button>
      </div>
      {notShown !== null && <p class="small quiet">{notShown}</p>}
      <BodyProblem problem={downloading.problem} />
      {isShown && <BodyDialog delivery={delivery} onClose={() => setShown(false)} />}
    </>
  );
}

/**
 * The token is sent in a header, so a link cannot download the bytes: they are fetched and passed to the browser as a
 * file.
 */
function save(bytes: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(bytes);
  link.download = name;
  link.click();
  // Wait until the browser has started reading it.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function fileName({ id, format, compression }: Delivery): string {
  return `${id}.${format.toLowerCase()}${compression === 'gzip' ? '.gz' : ''}`;
}
