import { to } from '../app/router.js';
import { ButtonLink } from '../ui/button.js';
import { Screen } from '../ui/screen.js';

export function NowhereScreen() {
  return (
    <Screen title="There is nothing here" lead="The address leads to no screen of this console.">
      <ButtonLink href={to.agents()}>All agents</ButtonLink>
    </Screen>
  );
}
