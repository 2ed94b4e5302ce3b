import * as React from 'react';

import { size } from '../common/format';
import { Act } from '../common/panel';
import { trans } from '../common/translation';
import type { DatasetsActions } from './actions';
import { Details } from './details';
import type { Dataset } from './model';
import type { DatasetsStore } from './store';
import { access, current, stateName, stateOf, termsPage, theme } from './format';

function State({ dataset }: { dataset: Dataset }): React.JSX.Element {
  const state = stateOf(dataset);
  return (
    <span className="fabric-Dataset-state" data-state={state}>
      {stateName(state)}
    </span>
  );
}

function weight(dataset: Dataset): string {
  const bytes = current(dataset)?.bytes;
  return bytes === undefined ? '' : size(bytes);
}

interface IProps {
  readonly dataset: Dataset;
  readonly store: DatasetsStore;
  readonly actions: DatasetsActions;
}

/** One dataset: a line, and its details when it is selected. */
export function Item({ dataset, store, actions }: IProps): React.JSX.Element {
  const { name } = dataset;
  const open = store.selected === name;
  const id = `fabric-dataset-${name}`;
  const item = React.useRef<HTMLLIElement>(null);
  const line = React.useRef<HTMLButtonElement>(null);
  React.useLayoutEffect(() => {
    if (open) {
      // what can be done with it stands below its line: bring both into view, and the keyboard to it, at once:
      // a moment later it would be taken from where the next key has brought it
      item.current?.scrollIntoView({ block: document.activeElement === line.current ? 'nearest' : 'start' });
      line.current?.focus({ preventScroll: true });
    }
  }, [open]);
  return (
    <li ref={item} className="fabric-Dataset">
      <button
        ref={line}
        type="button"
        className="fabric-Dataset-line"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => void store.select(open ? '' : name)}
      >
        <span className="fabric-Dataset-title">{dataset.title || name}</span>
        <span className="fabric-Dataset-facts">
          <State dataset={dataset} />
          {[access(dataset.access), weight(dataset)].filter(Boolean).map(fact => (
            <span key={fact}>{fact}</span>
          ))}
        </span>
      </button>
      {open ? (
        <div id={id} role="region" aria-label={trans.__('Details of %1', dataset.title || name)}>
          <Details
            dataset={dataset}
            actions={actions}
            busy={store.busy.has(name)}
            termsPage={store.known ? termsPage(store.known, name) : ''}
            files={dataset.here ? store.files.get(dataset.here.path) : undefined}
          />
        </div>
      ) : null}
    </li>
  );
}

/** A demo dataset as a small card: what it is, and one step to a notebook that loads it. */
export function Card({ dataset, store, actions }: IProps): React.JSX.Element {
  const { name } = dataset;
  const title = dataset.title || name;
  const sector = (dataset.themes ?? []).map(theme)[0] ?? '';
  return (
    <li className="fabric-Datasets-card">
      <strong>{title}</strong>
      <span className="fabric-Dataset-facts">
        {[sector, weight(dataset)].filter(Boolean).map(fact => (
          <span key={fact}>{fact}</span>
        ))}
      </span>
      <span className="fabric-Dataset-actions">
        <Act
          busy={store.busy.has(name)}
          accent
          label={trans.__('Try it: %1 in a new notebook', title)}
          does={() => actions.tryOut(name)}
        >
          {trans.__('Try it')}
        </Act>
        <Act label={trans.__('Details of %1', title)} does={() => store.select(name)}>
          {trans.__('Details')}
        </Act>
      </span>
    </li>
  );
}
