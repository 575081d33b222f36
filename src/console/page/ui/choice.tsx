interface ChoiceParts {
  /** Name of the group of radio buttons. */
  readonly name: string;
  readonly title: string;
  readonly says: string;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}

/** One of several answers, with a line about what it means. */
export function Choice({ name, title, says, isChosen, onChoose }: ChoiceParts) {
  return (
    <label class="choice">
      <input type="radio" name={name} checked={isChosen} onChange={onChoose} />
      <span>
        <strong>{title}</strong>
        <span class="quiet small">{says}</span>
      </span>
    </label>
  );
}
