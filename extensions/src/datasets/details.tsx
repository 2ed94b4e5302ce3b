import { Sanitizer } from '@jupyterlab/apputils';
import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import { day, size } from '../common/format';
import { trans } from '../common/translation';
import { Act } from '../common/panel';
import {
  access,
  current,
  files,
  formats,
  licence,
  link,
  mayRequest,
  paragraphs,
  personalData,
  stateOf,
  theme
} from './format';
import { Primary, StateWord, Toast, type IDatasetProps } from './list';
import type { Agent, Dataset } from './model';
import { RequestForm } from './request';
import { Preview } from './preview';

function WebLink(props: { address: string | null | undefined; text?: string }): React.JSX.Element | null {
  const address = link(props.address);
  if (address === null) {
    return props.text || props.address ? <>{props.text || props.address}</> : null;
  }
  return (
    <a href={address} target="_blank" rel="noopener noreferrer">
      {props.text || address}
    </a>
  );
}

function Contact({ contact }: { contact: Agent }): React.JSX.Element {
  return (
    <>
      <WebLink address={contact.url ?? null} text={contact.name} />
      {contact.email ? (
        <>
          {' '}
          <a href={`mailto:${contact.email}`}>{contact.email}</a>
        </>
      ) : null}
    </>
  );
}

/** Names and values of the catalogue's entry, without what is not known. */
function rows(dataset: Dataset): [string, React.ReactNode][] {
  const version = current(dataset);
  const all: [string, React.ReactNode][] = [
    [trans.__('Name'), <code key="name">{dataset.name}</code>],
    [
      trans.__('Publisher'),
      dataset.publisher && <WebLink address={dataset.publisher.uri} text={dataset.publisher.name} />
    ],
    [trans.__('Contact'), dataset.contact && <Contact contact={dataset.contact} />],
    [trans.__('Licence'), dataset.licence && <WebLink address={dataset.licence} text={licence(dataset.licence)} />],
    [
      trans.__('Access'),
      dataset.until
        ? trans.__('%1, granted until %2', access(dataset.access), day(dataset.until))
        : access(dataset.access)
    ],
    [trans.__('Themes'), (dataset.themes ?? []).map(theme).join(', ')],
    [trans.__('Personal data'), personalData(dataset.personal_data)],
    [trans.__('Purposes'), (dataset.purposes ?? []).map(purpose => purpose.text).join('; ')],
    [trans.__('Provenance'), dataset.provenance],
    [
      trans.__('Retention'),
      [dataset.retention, dataset.retain_until && trans.__('until %1', day(dataset.retain_until))]
        .filter(Boolean)
        .join(', ')
    ],
    [
      trans.__('Version'),
      version &&
        (version.published_at
          ? trans.__('%1, published %2', version.version, day(version.published_at))
          : String(version.version))
    ],
    [
      trans.__('Other versions'),
      (dataset.versions ?? [])
        .filter(one => one !== version)
        .map(one => one.version)
        .join(', ')
    ],
    [trans.__('Size'), version?.bytes === undefined ? '' : size(version.bytes)],
    [trans.__('Files'), version?.files === undefined ? '' : files(version.files)],
    [trans.__('Formats'), version?.formats ? formats(version.formats) : ''],
    [trans.__('Keywords'), (dataset.keywords ?? []).join(', ')],
    [trans.__('Page'), dataset.page && <WebLink address={dataset.page} />],
    [trans.__('Path'), dataset.here && <code key="path">{dataset.here.path}</code>]
  ];
  return all.filter(([, value]) => Boolean(value));
}

interface IProps extends IDatasetProps {
  /** Puts the keyboard back into the list. */
  readonly back: () => void;
}

/** The whole of one dataset, what can be done with it now, its files and the first rows of them. */
export function Details(props: IProps): React.JSX.Element {
  const { dataset, store, back } = props;
  const { name } = dataset;
  const asks = mayRequest(dataset);
  return (
    <article className="fabric-Dataset-details" aria-labelledby={`fabric-dataset-title-${name}`}>
      <p>
        <button type="button" className="fabric-Datasets-link" onClick={back}>
          {trans.__('Back to the list')}
        </button>
      </p>
      <h2 id={`fabric-dataset-title-${name}`} tabIndex={-1}>
        {dataset.title || name}
      </h2>
      <p className="fabric-Dataset-facts">
        <StateWord dataset={dataset} />
      </p>
      {/* where the focus stays as one button gives way to another */}
      <div>{dataset.here ? <Here {...props} /> : asks ? <RequestForm {...props} /> : <NotHere {...props} />}</div>
      {dataset.told ? <p className="fabric-Dataset-told">{dataset.told}</p> : null}
      <Toast {...props} />
      <Description dataset={dataset} />
      <dl>
        {rows(dataset).map(([label, value]) => (
          <React.Fragment key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </React.Fragment>
        ))}
      </dl>
      {dataset.agreement ? (
        <section aria-labelledby={`fabric-dataset-terms-${name}`}>
          <h3 id={`fabric-dataset-terms-${name}`}>{trans.__('Terms, version %1', dataset.agreement.version)}</h3>
          {/* reached by the keyboard, for it scrolls */}
          <div
            className="fabric-Dataset-text"
            tabIndex={0}
            role="group"
            aria-labelledby={`fabric-dataset-terms-${name}`}
          >
            {dataset.agreement.text}
          </div>
        </section>
      ) : null}
      {dataset.here ? <Preview dataset={dataset} store={store} /> : null}
    </article>
  );
}

const sanitizer = new Sanitizer();

/** As the hub has rendered it, once more without what could run; an older hub tells the text alone. */
function Description({ dataset }: { readonly dataset: Dataset }): React.JSX.Element {
  if (!dataset.description_html) {
    return (
      <>
        {paragraphs(dataset.description).map((paragraph, index) => (
          <p key={index}>{paragraph}</p>
        ))}
      </>
    );
  }
  const html = { __html: sanitizer.sanitize(dataset.description_html) };
  return <div className="fabric-Dataset-description" dangerouslySetInnerHTML={html} />;
}

/** The one thing that can be done with a dataset that is not open here, and why it is not. */
function NotHere(props: IProps): React.JSX.Element {
  const { dataset } = props;
  const state = stateOf(dataset);
  const why = [dataset.why, state === 'agreement' ? '' : dataset.hint].filter(Boolean).join(' ');
  return (
    <>
      <div className="fabric-Dataset-actions">
        <Primary {...props} />
      </div>
      {state === 'agreement' ? (
        <p>{trans.__('Opens a new tab; your session keeps running. Come back afterwards and press Add.')}</p>
      ) : null}
      {why && !dataset.told ? <p>{why}</p> : null}
    </>
  );
}

function Here({ dataset, store, actions }: IProps): React.JSX.Element {
  const [way, choose] = React.useState(0);
  const { name } = dataset;
  const busy = store.busy.has(name);
  const snippets = (dataset.here ? store.files.get(dataset.here.path)?.snippets : undefined) ?? [];
  return (
    <>
      <div className="fabric-Dataset-actions">
        <Act
          busy={busy}
          accent
          label={trans.__('Insert loading code of %1', name)}
          does={() => actions.insertCode(name, way)}
        >
          {trans.__('Insert code')}
        </Act>
        <Act busy={busy} label={trans.__('Insert path of %1', name)} does={() => actions.insertPath(name)}>
          {trans.__('Insert path')}
        </Act>
        {store.known?.enforced === false ? null : (
          <Act busy={busy} label={trans.__('Remove %1 from this session', name)} does={() => store.drop(name)}>
            {trans.__('Remove')}
          </Act>
        )}
      </div>
      {snippets.length > 1 ? (
        <label className="fabric-Panel-field fabric-Dataset-way">
          {trans.__('Load as')}
          <HTMLSelect value={way} onChange={event => choose(Number(event.target.value))}>
            {snippets.map((snippet, index) => (
              <option key={snippet.label} value={index}>
                {snippet.label}
              </option>
            ))}
          </HTMLSelect>
        </label>
      ) : null}
    </>
  );
}
