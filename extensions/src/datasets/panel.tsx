import { HTMLSelect } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { number } from '../common/format';
import { Head, Notices, Said, SidePanel } from '../common/panel';
import { trans } from '../common/translation';
import type { Datasets } from '../schema';
import type { DatasetsActions } from './actions';
import { accesses, EVERYTHING, matching, samples, searching, themes, type Segment } from './filter';
import { datasetsIcon } from './icon';
import { Card, Item } from './list';
import type { Dataset } from './model';
import type { DatasetsStore } from './store';

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

  /** Whose row gets the keyboard when the panel is activated next; '' is where one searches. */
  private wanted = '';

  /** The keyboard is to be on the row of a dataset, where it is shown, once the panel is activated. */
  focusOn(name: string): void {
    this.wanted = name;
  }

  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    const { wanted } = this;
    this.wanted = '';
    const row = wanted ? this.node.querySelector<HTMLElement>(`[data-dataset="${CSS.escape(wanted)}"]`) : null;
    if (row) {
      row.focus();
    } else {
      toSearch(this.node);
    }
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
      <Said text={store.said.text} wrong={store.said.wrong} quiet={store.said.about !== ''} />
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
  const looking = searching(store.filter);
  const found = matching(datasets, store.filter);
  const cards = looking || store.filter.segment !== 'all' ? [] : samples(datasets);
  return (
    <>
      <Notices sentences={notices(known, store.problem)} />
      {datasets.length ? (
        <Filters store={store} known={known} />
      ) : (
        <p>{trans.__('No datasets are available to your project yet.')}</p>
      )}
      {cards.length ? <Cards datasets={cards} store={store} actions={actions} /> : null}
      {datasets.length ? (
        <section aria-labelledby="fabric-datasets-all">
          <h3 id="fabric-datasets-all" aria-live="polite">
            {found.length
              ? trans._n('%2 dataset', '%2 datasets', found.length, number(found.length))
              : looking
                ? trans.__('No matches')
                : trans.__('No datasets')}
          </h3>
          {found.length ? (
            <ul className="fabric-Datasets-list">
              {found.map(dataset => (
                <Item key={dataset.name} dataset={dataset} store={store} actions={actions} />
              ))}
            </ul>
          ) : (
            <Nothing store={store} looking={looking} />
          )}
        </section>
      ) : null}
    </>
  );
}

/** The demo datasets: the first, and the others when one wants them. */
function Cards({ datasets, store, actions }: IProps & { readonly datasets: readonly Dataset[] }): React.JSX.Element {
  const [first, ...more] = datasets.map(dataset => (
    <Card key={dataset.name} dataset={dataset} store={store} actions={actions} />
  ));
  return (
    <section aria-labelledby="fabric-datasets-try">
      <h3 id="fabric-datasets-try">{trans.__('Try a dataset')}</h3>
      <ul className="fabric-Datasets-cards">{first}</ul>
      {more.length ? (
        <details>
          <summary>{trans._n('%2 more to try', '%2 more to try', more.length, number(more.length))}</summary>
          <ul className="fabric-Datasets-cards">{more}</ul>
        </details>
      ) : null}
    </section>
  );
}

/** That nothing is in this part of the list, or nothing matches, and what to do. */
function Nothing({ store, looking }: { readonly store: DatasetsStore; readonly looking: boolean }): React.JSX.Element {
  const { text, segment } = store.filter;
  const said =
    segment === 'here'
      ? trans.__('Nothing is added to this session yet.')
      : trans.__('Nothing can be added now. All shows what you can request.');
  return looking ? (
    <p>
      {text ? trans.__('Nothing matches "%1".', text) : trans.__('No matches.')}{' '}
      <button
        type="button"
        className="fabric-Datasets-link"
        onClick={event => {
          toSearch(event.currentTarget.closest('.fabric-Panel'));
          store.choose({ ...EVERYTHING, segment });
        }}
      >
        {trans.__('Clear search')}
      </button>
    </p>
  ) : (
    <p>{said}</p>
  );
}

const SEGMENTS: readonly [Segment, () => string][] = [
  ['here', () => trans.__('In session')],
  ['available', () => trans.__('Available')],
  ['all', () => trans.__('All')]
];

/** Which part of the list is shown. */
function Segments({ store }: { readonly store: DatasetsStore }): React.JSX.Element {
  return (
    <div className="fabric-Datasets-segments" role="group" aria-label={trans.__('Show')}>
      {SEGMENTS.map(([segment, name]) => (
        <button
          key={segment}
          type="button"
          aria-pressed={store.filter.segment === segment}
          onClick={() => store.choose({ segment })}
        >
          {name()}
        </button>
      ))}
    </div>
  );
}

function Filters({ store, known }: { readonly store: DatasetsStore; readonly known: Datasets }): React.JSX.Element {
  const { filter } = store;
  return (
    <div role="search" aria-label={trans.__('Datasets')} className="fabric-Datasets-filters">
      <Segments store={store} />
      <input
        type="search"
        className="jp-mod-styled fabric-Datasets-filter"
        aria-label={trans.__('Search datasets')}
        placeholder={trans.__('Search datasets')}
        value={filter.text}
        onChange={event => store.choose({ text: event.target.value })}
      />
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
