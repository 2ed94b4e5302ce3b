import { locale } from '../common/translation';
import type { Dataset } from './model';
import { access, stateOf, theme } from './format';

/** Which part of the list is shown: what is open here, what can be added, or everything. */
export type Segment = 'here' | 'available' | 'all';

/** What the person looks for; '' is no filter. */
export interface IFilter {
  readonly segment: Segment;
  readonly text: string;
  readonly theme: string;
  readonly access: string;
}

export const EVERYTHING: IFilter = { segment: 'all', text: '', theme: '', access: '' };

const FEW = 6;
const ORDER = ['here', 'available', 'agreement', 'requested', 'waits', 'refused', 'not-granted', 'unknown', 'retired'];

function searched(dataset: Dataset): string {
  return [
    dataset.name,
    dataset.title,
    dataset.description,
    dataset.publisher?.name,
    ...(dataset.keywords ?? []),
    ...(dataset.themes ?? []).map(theme)
  ]
    .join(' ')
    .toLowerCase();
}

/** Whether a dataset is in a part of the list; what can be had once its terms are accepted is available, too. */
function within(dataset: Dataset, segment: Segment): boolean {
  const state = stateOf(dataset);
  return segment === 'all' || (segment === 'here' ? state === 'here' : state === 'available' || state === 'agreement');
}

/** Whether anything but the part of the list was chosen. */
export function searching({ text, theme, access }: IFilter): boolean {
  return Boolean(text.trim() || theme || access);
}

function title(dataset: Dataset): string {
  return dataset.title || dataset.name;
}

/** The datasets that every word of the search and both filters fit; those at hand first, then by title. */
export function matching(datasets: readonly Dataset[], filter: IFilter): Dataset[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return datasets
    .filter(one => {
      const text = words.length ? searched(one) : '';
      return (
        within(one, filter.segment) &&
        words.every(word => text.includes(word)) &&
        (!filter.theme || (one.themes ?? []).includes(filter.theme)) &&
        (!filter.access || one.access === filter.access)
      );
    })
    .sort(
      (a, b) => ORDER.indexOf(stateOf(a)) - ORDER.indexOf(stateOf(b)) || title(a).localeCompare(title(b), locale())
    );
}

/** Codes and names of the themes that occur, by name. */
export function themes(datasets: readonly Dataset[]): [string, string][] {
  const codes = new Set(datasets.flatMap(one => one.themes ?? []));
  return [...codes].map((code): [string, string] => [code, theme(code)]).sort(([, a], [, b]) => a.localeCompare(b));
}

/** Codes and names of the access rights that occur, the most open first. */
export function accesses(datasets: readonly Dataset[]): [string, string][] {
  return ['public', 'restricted', 'non-public']
    .filter(code => datasets.some(one => one.access === code))
    .map((code): [string, string] => [code, access(code)]);
}

/** The demo datasets that can be tried now, when they are few enough to be shown as cards, too. */
export function samples(datasets: readonly Dataset[]): Dataset[] {
  const demos = datasets.filter(
    one => (one.keywords ?? []).includes('demo') && ['here', 'available'].includes(stateOf(one))
  );
  return demos.length <= FEW ? matching(demos, EVERYTHING) : [];
}
