import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

interface IChoiceProps {
  readonly label: string;
  readonly value: string;
  /** What can be chosen, as [value, text]. */
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly choose: (value: string) => void;
}

/** A list to choose from. No browser breaks the line of a closed one: where it cuts the choice, that follows in full. */
export function Choice({ label, value, options, choose }: IChoiceProps): React.JSX.Element {
  const text = options.find(([one]) => one === value)?.[1] ?? '';
  const [cut, setCut] = React.useState(false);
  const [select, here] = React.useState<HTMLSelectElement | null>(null);
  const line = React.useRef<HTMLSpanElement>(null);
  React.useLayoutEffect(() => {
    if (!select) {
      return;
    }
    const look = (): void => {
      const { paddingLeft, paddingRight } = getComputedStyle(select);
      const room = select.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
      setCut((line.current?.offsetWidth ?? 0) > room);
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(select);
    return () => observer.disconnect();
  }, [select, text]);
  return (
    <label className="fabric-Panel-field fabric-Clusters-choice">
      {label}
      <HTMLSelect elementRef={here} value={value} onChange={event => choose(event.target.value)}>
        {options.map(([one, said]) => (
          <option key={one} value={one}>
            {said}
          </option>
        ))}
      </HTMLSelect>
      {/* the list itself says it to a screen reader */}
      <span className="fabric-Clusters-line" aria-hidden="true">
        <span ref={line}>{text}</span>
      </span>
      {cut ? (
        <span className="fabric-Clusters-whole" aria-hidden="true">
          {text}
        </span>
      ) : null}
    </label>
  );
}
