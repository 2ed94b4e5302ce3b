import { HTMLSelect, LabIcon } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { Head, Notices, Said, SidePanel } from '../common/panel';
import { number } from '../common/format';
import { trans } from '../common/translation';
import type { Datasets } from '../schema';
import type { DatasetsActions } from './actions';
import { accesses, EVERYTHING, matching, samples, themes } from './filter';
import { Card, Item } from './list';
import type { DatasetsStore } from './store';

/** Three stacked discs with a tick: data that is at hand. */
export const datasetsIcon = new LabIcon({
  name: 'fabric-lab:datasets',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M11 2C6.6 2 3 3.6 3 5.5S6.600 9 11 9s8-1.600 8-3.500S15.400 2 11 2z"/>
    <path d="M3 7.600v3.900C3 13.400 6.600 15 11 15c.5 0 1 0 1.500-.1.900-1.700 2.700-2.900 4.700-2.900.6 0 1.200.1 1.800.3V7.600C17.400 9.400 14.400 10.500 11 10.500S4.600 9.400 3 7.600z"/>
    <path d="M3 13.600v3.900C3 19.400 6.600 21 11 21c.7 0 1.300 0 2-.1-.7-.9-1.200-2.100-1.200-3.400 0-.3 0-.7.100-1H11c-3.400 0-6.400-1.100-8-2.900z"/>
    <path d="M21.600 14.700 16.700 19.600l-2.300-2.300-1.400 1.400 3.700 3.700 6.300-6.300z"/>
  </g>
</svg>`
});

interface IProps {
  readonly store: DatasetsStore;
  readonly actions: DatasetsActions;
}

export class DatasetsPanel extends SidePanel<DatasetsStore> {
  constructor(
    store: DatasetsStore,
    private readonly actions: DatasetsActions
  ) {
    super(store, {
      id: 'fabric-datasets',
      className: 'fabric-Datasets',
      title: trans.__('Datasets'),
      icon: datasetsIcon
    });
  }

  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    toSearch(this.node);
  }

  protected override content(): React.JSX.Element {
    return <Panel store={this.store} actions={this.actions} />;
  }
}

/** Put the keyboard where one searches. */
function toSearch(panel: Element | null): void {
  panel?.querySelector<HTMLInputElement>('input[type=search]')?.focus();
}

function Panel({ store, actions }: IProps): React.JSX.Element {
  return (
    <>
      <Head title={trans.__('Datasets')} tooltip={trans.__('Refresh the datasets')} refresh={() => store.refresh()} />
      <Said {...store.said} />
      {store.known ? (
        <Known store={store} actions={actions} known={store.known} />
      ) : (
        <p role={store.problem ? 'alert' : undefined}>
          {store.problem || trans.__('Asking which datasets there are …')}
        </p>
      )}
    </>
  );
}

/** What is wrong or worth knowing of the whole list, each as a sentence. */
function notices(known: Datasets, problem: string): string[] {
  const open =
    known.enforced === false
      ? known.notice ||
        trans.__('Access is not enforced here: datasets are shown from directories that others may read too.')
      : '';
  return [problem, known.problem, known.node_problem, open];
}

function Known({ store, actions, known }: IProps & { readonly known: Datasets }): React.JSX.Element {
  const { datasets } = known;
  const searching = store.filter !== EVERYTHING && Object.values(store.filter).some(Boolean);
  const found = matching(datasets, store.filter);
  const cards = searching ? [] : samples(datasets);
  return (
    <>
      <Notices sentences={notices(known, store.problem)} />
      {datasets.length ? (
        <Filters store={store} known={known} />
      ) : (
        <p>{trans.__('No datasets are available to your project yet.')}</p>
      )}
      {cards.length ? (
        <section aria-labelledby="fabric-datasets-try">
          <h3 id="fabric-datasets-try">{trans.__('Try one of these')}</h3>
          <ul className="fabric-Datasets-cards">
            {cards.map(dataset => (
              <Card key={dataset.name} dataset={dataset} store={store} actions={actions} />
            ))}
          </ul>
        </section>
      ) : null}
      {datasets.length ? (
        <section aria-labelledby="fabric-datasets-all">
          <h3 id="fabric-datasets-all">
            {searching
              ? trans.__('%1 of %2', number(found.length), number(datasets.length))
              : trans._n('%2 dataset', '%2 datasets', datasets.length, number(datasets.length))}
          </h3>
          {found.length ? (
            <ul className="fabric-Datasets-list">
              {found.map(dataset => (
                <Item key={dataset.name} dataset={dataset} store={store} actions={actions} />
              ))}
            </ul>
          ) : (
            <p>
              {store.filter.text ? trans.__('Nothing matches "%1".', store.filter.text) : trans.__('No matches.')}{' '}
              <button
                type="button"
                className="fabric-Datasets-clear"
                onClick={event => {
                  toSearch(event.currentTarget.closest('.fabric-Panel'));
                  store.choose(EVERYTHING);
                }}
              >
                {trans.__('Clear search')}
              </button>
            </p>
          )}
        </section>
      ) : null}
    </>
  );
}

function Filters({ store, known }: { readonly store: DatasetsStore; readonly known: Datasets }): React.JSX.Element {
  const { filter } = store;
  return (
    <div role="search" aria-label={trans.__('Datasets')} className="fabric-Datasets-filters">
      <label className="fabric-Panel-field">
        {trans.__('Search')}
        <input
          type="search"
          className="jp-mod-styled"
          value={filter.text}
          onChange={event => store.choose({ text: event.target.value })}
        />
      </label>
      <Choice
        label={trans.__('Theme')}
        all={trans.__('All themes')}
        value={filter.theme}
        choices={themes(known.datasets)}
        choose={theme => store.choose({ theme })}
      />
      <Choice
        label={trans.__('Access')}
        all={trans.__('Any access')}
        value={filter.access}
        choices={accesses(known.datasets)}
        choose={access => store.choose({ access })}
      />
    </div>
  );
}

interface IChoiceProps {
  readonly label: string;
  readonly all: string;
  readonly value: string;
  readonly choices: readonly [string, string][];
  readonly choose: (value: string) => void;
}

function Choice({ label, all, value, choices, choose }: IChoiceProps): React.JSX.Element | null {
  if (choices.length < 2 && !value) {
    return null; // nothing to choose from
  }
  return (
    <label className="fabric-Panel-field">
      {label}
      <HTMLSelect value={value} onChange={event => choose(event.target.value)}>
        <option value="">{all}</option>
        {choices.map(([code, name]) => (
          <option key={code} value={code}>
            {name}
          </option>
        ))}
      </HTMLSelect>
    </label>
  );
}
