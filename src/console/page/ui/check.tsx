import type { ComponentChildren } from 'preact';

interface CheckParts {
  readonly isOn: boolean;
  /** Checked and read-only. */
  readonly isFixed?: boolean;
  readonly onChange: (isOn: boolean) => void;
  readonly children: ComponentChildren;
}

export function Check({ isOn, isFixed = false, onChange, children }: CheckParts) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={isOn}
        disabled={isFixed}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>{children}</span>
    </label>
  );
}
