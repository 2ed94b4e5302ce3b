import * as React from 'react';

import { Act, Head, Notices, Said, SidePanel } from '../common/panel';
import { trans } from '../common/translation';
import type { WorkerProfile } from '../schema';
import { Card, type IActions } from './card';
import { Choice } from './choice';
import { distinct, profile } from './format';
import { clustersIcon } from './icons';
import { MOST_WORKERS } from './range';
import type { ClustersStore } from './store';

interface IProps {
  readonly store: ClustersStore;
  readonly actions: IActions;
}

export class ClustersPanel extends SidePanel<ClustersStore> {
  constructor(
    store: ClustersStore,
    private readonly actions: IActions
  ) {
    super(store, {
      id: 'fabric-clusters',
      className: 'fabric-Clusters',
      title: trans.__('Dask clusters'),
      icon: clustersIcon
    });
  }

  protected override content(): React.JSX.Element {
    return <Panel store={this.store} actions={this.actions} />;
  }
}

function Panel({ store, actions }: IProps): React.JSX.Element {
  const { known } = store;
  return (
    <>
      <Head
        title={trans.__('Dask clusters')}
        tooltip={trans.__('Refresh the clusters')}
        refresh={() => store.refresh()}
      />
      <Said {...store.said(null)} />
      <Notices sentences={[store.problem, known?.problem ?? '']} />
      {known ? (
        <>
          {known.clusters.length ? null : <p>{trans.__('No cluster yet. Spread work over more CPUs or GPUs.')}</p>}
          {known.clusters.map(cluster => (
            <Card key={cluster.name} cluster={cluster} store={store} actions={actions} />
          ))}
          <New store={store} profiles={known.profiles} folded={known.clusters.length > 0} />
        </>
      ) : store.problem ? null : (
        <p>{trans.__('Asking which clusters there are …')}</p>
      )}
    </>
  );
}

function Count(props: { label: string; value: number; set: (value: number) => void }): React.JSX.Element {
  return (
    <label className="fabric-Panel-field">
      {props.label}
      <input
        type="number"
        className="jp-mod-styled"
        min={0}
        max={MOST_WORKERS}
        value={props.value}
        onChange={event => props.set(Math.max(0, Math.round(Number(event.target.value) || 0)))}
      />
    </label>
  );
}

interface INewProps {
  readonly store: ClustersStore;
  readonly profiles: readonly WorkerProfile[];
  /** Another cluster is there: most people want one. */
  readonly folded: boolean;
}

function New({ store, profiles, folded }: INewProps): React.JSX.Element {
  const [chosen, choose] = React.useState('');
  const [workers, setWorkers] = React.useState(2);
  const choices = distinct(profiles);
  const one = choices.find(candidate => candidate.name === chosen) ?? choices[0];
  const name = one?.name ?? '';
  const quoted = store.quoted.get('');
  React.useEffect(() => void store.quoteNew(name, workers), [store, name, workers]);
  return (
    <section className="fabric-Cluster" aria-label={trans.__('New cluster')}>
      <details key={String(folded)} open={!folded}>
        <summary>
          <h3>{trans.__('New cluster')}</h3>
        </summary>
        {choices.length ? (
          <Choice
            label={trans.__('Worker size')}
            value={name}
            options={choices.map(candidate => [candidate.name, profile(candidate)])}
            choose={choose}
          />
        ) : null}
        <div className="fabric-Clusters-form">
          <Count label={trans.__('Workers')} value={workers} set={setWorkers} />
          <Act
            busy={store.busy.has('')}
            label={trans.__('Start a new cluster')}
            does={() => store.start(name, workers)}
          >
            {trans.__('Start')}
          </Act>
        </div>
        {quoted ? <p className="fabric-Cluster-facts">{quoted}</p> : null}
      </details>
      <Said {...store.said('')} />
    </section>
  );
}
