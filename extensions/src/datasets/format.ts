import { number } from '../common/format';
import { trans } from '../common/translation';
import type { Datasets, OfferedVersion } from '../schema';
import type { Dataset } from './model';

// http://publications.europa.eu/resource/authority/data-theme, its English labels
const THEMES: Readonly<Record<string, () => string>> = {
  AGRI: () => trans.__('Agriculture, fisheries, forestry and food'),
  ECON: () => trans.__('Economy and finance'),
  EDUC: () => trans.__('Education, culture and sport'),
  ENER: () => trans.__('Energy'),
  ENVI: () => trans.__('Environment'),
  GOVE: () => trans.__('Government and public sector'),
  HEAL: () => trans.__('Health'),
  INTR: () => trans.__('International issues'),
  JUST: () => trans.__('Justice, legal system and public safety'),
  REGI: () => trans.__('Regions and cities'),
  SOCI: () => trans.__('Population and society'),
  TECH: () => trans.__('Science and technology'),
  TRAN: () => trans.__('Transport')
};

const ACCESS: Readonly<Record<string, () => string>> = {
  public: () => trans.__('Public'),
  restricted: () => trans.__('Restricted'),
  'non-public': () => trans.__('Non-public')
};

const PERSONAL_DATA: Readonly<Record<string, () => string>> = {
  none: () => trans.__('None'),
  pseudonymised: () => trans.__('Pseudonymised: people can be found again with more data (GDPR article 4)'),
  personal: () => trans.__('Personal data (GDPR article 4)'),
  special: () => trans.__('Special categories of personal data (GDPR article 9)')
};

export function theme(code: string): string {
  return THEMES[code]?.() ?? code;
}

export function access(code: string | null | undefined): string {
  return ACCESS[code ?? '']?.() ?? code ?? '';
}

export function personalData(code: string | null | undefined): string {
  return PERSONAL_DATA[code ?? '']?.() ?? code ?? '';
}

/** A description's paragraphs: only an empty line parts one from the next. */
export function paragraphs(text: string | null | undefined): string[] {
  return (text ?? '').split(/\n\s*\n/).filter(one => one.trim());
}

/** "1 file", "12,345 files". */
export function files(count: number): string {
  return trans._n('%2 file', '%2 files', count, number(count));
}

/** "12 csv, 3 parquet", the most frequent first. */
export function formats(counted: Readonly<Record<string, number>>): string {
  return Object.entries(counted)
    .sort(([a, m], [b, n]) => n - m || a.localeCompare(b))
    .map(([suffix, count]) => (suffix ? `${number(count)} ${suffix}` : trans.__('%1 without a suffix', number(count))))
    .join(', ');
}

/** The version that this session reads or would read: the open one, else the latest. */
export function current(dataset: Dataset): OfferedVersion | undefined {
  const wanted = dataset.here?.version ?? dataset.latest;
  return dataset.versions?.find(one => one.version === wanted) ?? dataset.versions?.at(-1);
}

/** What can be done with a dataset now. */
export type State =
  'here' | 'available' | 'agreement' | 'requested' | 'waits' | 'refused' | 'not-granted' | 'retired' | 'unknown';

export function stateOf(dataset: Dataset): State {
  if (dataset.here) {
    return 'here';
  }
  switch (dataset.state) {
    case 'open':
      return 'available';
    case 'not-granted':
      return shutState(dataset);
    case 'agreement':
    case 'retired':
      return dataset.state;
    default:
      return 'unknown';
  }
}

function shutState({ waits, requested, refused }: Dataset): State {
  if (waits) {
    return 'waits';
  }
  if (requested) {
    return 'requested';
  }
  return refused ? 'refused' : 'not-granted';
}

/** Whether a request for access would be taken now; a hub of an earlier release says only whether one is open. */
export function mayRequest(dataset: Dataset): boolean {
  return ['not-granted', 'refused'].includes(stateOf(dataset)) && dataset.may_request !== false;
}

const STATES: Readonly<Record<State, () => string>> = {
  here: () => trans.__('In this session'),
  available: () => trans.__('Available'),
  agreement: () => trans.__('Terms to accept'),
  requested: () => trans.__('Access requested'),
  waits: () => trans.__('Waits for the steward'),
  refused: () => trans.__('Access refused'),
  'not-granted': () => trans.__('No access yet'),
  retired: () => trans.__('Retired'),
  unknown: () => trans.__('Not available')
};

export function stateName(state: State): string {
  return STATES[state]();
}

/** An address of the web, or null: nothing else may become a link. */
export function link(address: string | null | undefined): string | null {
  return address && /^https?:\/\//.test(address) ? address : null;
}

/** The hub's page of a dataset, where its terms are accepted for the project of this session. */
export function termsPage(known: Datasets, name: string): string {
  const project = known.project ? `?project=${encodeURIComponent(known.project)}` : '';
  return `${known.datasets_page}/${encodeURIComponent(name)}${project}`;
}

/** A licence by its short name where the address tells one: "CC BY 4.0". */
export function licence(address: string): string {
  const creative = /creativecommons\.org\/(?:licenses\/([a-z-]+)\/(\d\.\d)|publicdomain\/(zero|mark)\/(\d\.\d))/.exec(
    address
  );
  if (creative) {
    const [, kind, version, domain, edition] = creative;
    return kind
      ? `CC ${kind.toUpperCase()} ${version}`
      : `${domain === 'zero' ? 'CC0' : 'Public Domain Mark'} ${edition}`;
  }
  const european = /publications\.europa\.eu\/resource\/authority\/licence\/([A-Z0-9_]+)/.exec(address);
  return european?.[1]?.replace(/_(\d)_(\d)/, ' $1.$2').replace(/_/g, ' ') ?? address;
}
