import { Sanitizer } from '@jupyterlab/apputils';
import { Button, HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

import { day, size } from '../common/format';
import { trans } from '../common/translation';
import { Act } from '../common/panel';
import type { Files } from '../schema';
import type { DatasetsActions } from './actions';
import { access, current, files, formats, licence, link, paragraphs, personalData, stateOf, theme } from './format';
import type { Agent, Dataset } from './model';

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

interface IProps {
  readonly dataset: Dataset;
  readonly actions: DatasetsActions;
  readonly busy: boolean;
  readonly termsPage: string;
  readonly files: Files | undefined;
}

/** The whole of one dataset, and what can be done with it now. */
export function Details(props: IProps): React.JSX.Element {
  const { dataset } = props;
  return (
    <div className="fabric-Dataset-details">
      {/* where the focus stays as one button gives way to another */}
      <div>
        <Buttons {...props} />
      </div>
      <Description dataset={dataset} />
      <dl>
        {rows(dataset).map(([name, value]) => (
          <React.Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </React.Fragment>
        ))}
      </dl>
    </div>
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

function Buttons(props: IProps): React.JSX.Element | null {
  const { dataset, busy, termsPage } = props;
  const why = [dataset.why, dataset.hint].filter(Boolean).join(' ');
  switch (stateOf(dataset)) {
    case 'here':
      return <Here {...props} />;
    case 'available':
      return (
        <div className="fabric-Dataset-actions">
          <Act
            busy={busy}
            accent
            label={trans.__('Add %1 to this session', dataset.name)}
            does={() => props.actions.store.add(dataset.name)}
          >
            {trans.__('Add')}
          </Act>
        </div>
      );
    case 'agreement':
      return (
        <p>
          {dataset.why || trans.__('Its terms must be accepted before it can be used.')}{' '}
          <a href={termsPage} target="_blank" rel="noopener noreferrer">
            {trans.__('Review terms')}
          </a>{' '}
          {trans.__('Opens a new tab; your session keeps running. Come back afterwards and press Add.')}
        </p>
      );
    case 'not-granted':
      return <Request {...props} why={why} />;
    case 'requested':
      return <p>{trans.__('Access is requested for this project. You will see the decision here.')}</p>;
    default:
      return why ? <p>{why}</p> : null;
  }
}

function Here({ dataset, actions, busy, files: found }: IProps): React.JSX.Element {
  const [way, choose] = React.useState(0);
  const { name } = dataset;
  const snippets = found?.snippets ?? [];
  return (
    <>
      <div className="fabric-Dataset-actions">
        <Act busy={busy} label={trans.__('Insert path of %1', name)} does={() => actions.insertPath(name)}>
          {trans.__('Insert path')}
        </Act>
        <Act
          busy={busy}
          accent
          label={trans.__('Insert loading code of %1', name)}
          does={() => actions.insertCode(name, way)}
        >
          {trans.__('Insert loading code')}
        </Act>
        {actions.store.known?.enforced === false ? null : (
          <Act busy={busy} label={trans.__('Remove %1 from this session', name)} does={() => actions.store.drop(name)}>
            {trans.__('Remove')}
          </Act>
        )}
      </div>
      {snippets.length > 1 ? (
        <label className="fabric-Panel-field">
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

function Request({ dataset, actions, busy, why }: IProps & { readonly why: string }): React.JSX.Element {
  const [reason, write] = React.useState('');
  const { name } = dataset;
  return (
    <form
      className="fabric-Dataset-request"
      onSubmit={event => {
        event.preventDefault();
        if (!busy) {
          void actions.store.request(name, reason.trim());
        }
      }}
    >
      {why ? <p>{why}</p> : null}
      <label className="fabric-Panel-field">
        {trans.__('Reason (optional)')}
        <input className="jp-mod-styled" maxLength={300} value={reason} onChange={event => write(event.target.value)} />
      </label>
      <Button
        type="submit"
        minimal={false}
        small
        className="fabric-Panel-act jp-mod-styled jp-mod-accept"
        aria-label={trans.__('Request access to %1', name)}
        aria-disabled={busy}
      >
        {trans.__('Request access')}
      </Button>
    </form>
  );
}
