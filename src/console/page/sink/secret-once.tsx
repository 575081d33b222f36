import { Code } from '../ui/code.js';
import { Notice } from '../ui/notice.js';

/** A generated secret, shown only once. */
export function SecretOnce({ value }: { value: string }) {
  return (
    <>
      <Notice tone="warn" title="This is the only time you see it">
        Put it where your endpoint finds it, such as your secret manager. We keep it encrypted and cannot show it again.
      </Notice>
      <Code text={value} what="the signing secret" />
    </>
  );
}
