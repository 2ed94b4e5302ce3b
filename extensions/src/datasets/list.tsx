import * as React from 'react';

import { size } from '../common/format';
import { Act } from '../common/panel';
import { trans } from '../common/translation';
import type { DatasetsActions } from './actions';
import type { Dataset } from './model';
import { RequestForm } from './request';
import type { DatasetsStore } from './store';
import { access, current, mayRequest, stateName, stateOf, termsPage, theme } from './format';

/** A dataset's state as a dot and a word. */
export function StateWord({ dataset }: { readonly dataset: Dataset }): React.JSX.Element {
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

/** What is shown of one dataset, and what it may ask for. */
export interface IDatasetProps {
  readonly dataset: Dataset;
  readonly store: DatasetsStore;
  readonly actions: DatasetsActions;
}

/** One dataset: its title, which opens its tab, its state, and the one thing that is most likely wanted of it now. */
export function Item(props: IDatasetProps): React.JSX.Element {
  const { dataset, store, actions } = props;
  const { name } = dataset;
  const title = dataset.title || name;
  return (
    <li className="fabric-Dataset">
      <div className="fabric-Dataset-row">
        <button
          type="button"
          className="fabric-Dataset-line"
          data-dataset={name}
          aria-label={trans.__('Details of %1: %2', title, stateName(stateOf(dataset)))}
          onClick={() => actions.show(name)}
        >
          <span className="fabric-Dataset-title">{title}</span>
          <span className="fabric-Dataset-facts">
            <StateWord dataset={dataset} />
            {[access(dataset.access), weight(dataset)].filter(Boolean).map(fact => (
              <span key={fact}>{fact}</span>
            ))}
          </span>
        </button>
        <Primary {...props} />
      </div>
      {dataset.told ? <p className="fabric-Dataset-told">{dataset.told}</p> : null}
      {store.asking === name && mayRequest(dataset) ? <RequestForm {...props} /> : null}
      <Toast {...props} />
    </li>
  );
}

/** The one button of a dataset; none where nothing can be done here. */
export function Primary({ dataset, store, actions }: IDatasetProps): React.JSX.Element | null {
  const { name } = dataset;
  const busy = store.busy.has(name);
  switch (stateOf(dataset)) {
    case 'here':
      return (
        <Act busy={busy} label={trans.__('Insert loading code of %1', name)} does={() => actions.insertCode(name)}>
          {trans.__('Insert')}
        </Act>
      );
    case 'available':
      return (
        <Act busy={busy} accent label={trans.__('Add %1 to this session', name)} does={() => store.add(name)}>
          {trans.__('Add')}
        </Act>
      );
    case 'agreement':
      return store.known ? (
        <a
          className="fabric-Dataset-terms"
          href={termsPage(store.known, name)}
          target="_blank"
          rel="noopener noreferrer"
          aria-label={trans.__('Review terms of %1 (new tab)', name)}
        >
          {trans.__('Review terms')}
        </a>
      ) : null;
    default:
      return mayRequest(dataset) ? (
        <Act
          busy={busy}
          label={trans.__('Request access to %1', name)}
          expanded={store.asking === name}
          does={() => store.ask(name)}
        >
          {trans.__('Request')}
        </Act>
      ) : null;
  }
}

/** What came of the last thing that was done with a dataset, beside it; the panel says the same to screen readers. */
export function Toast({ dataset, store, actions }: IDatasetProps): React.JSX.Element | null {
  const { said } = store;
  if (said.text === '' || said.about !== dataset.name) {
    return null;
  }
  return (
    <p className="fabric-Panel-said" data-wrong={said.wrong}>
      {said.text}
      {said.insert && dataset.here ? (
        <>
          {' '}
          <button
            type="button"
            className="fabric-Datasets-link"
            onClick={() => void actions.insertCode(dataset.name)}
            aria-label={trans.__('Insert code that loads %1', dataset.name)}
          >
            {trans.__('Insert code')}
          </button>
        </>
      ) : null}
    </p>
  );
}

/** A demo dataset as a small card: what it is, and one step to a notebook that loads it. */
export function Card({ dataset, store, actions }: IDatasetProps): React.JSX.Element {
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
      </span>
    </li>
  );
}
