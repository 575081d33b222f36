import type { Label } from '../text/labels.js';

/** A state, in words and colour. */
export function Badge({ label }: { label: Label }) {
  return (
    <span class={`badge badge-${label.tone}`}>
      <span class="dot" aria-hidden="true" />
      {label.text}
    </span>
  );
}
