import { expect, it } from 'vitest';

import {
  current,
  formats,
  licence,
  link,
  mayRequest,
  stateName,
  stateOf,
  termsPage
} from '../../../src/datasets/format';
import { extent } from '../../../src/datasets/preview';
import type { Dataset } from '../../../src/datasets/model';
import type { OfferedVersion } from '../../../src/schema';
import { entries, entry, told } from './catalogue';

it('tells states in words', () => {
  const [first, ...more] = entries();
  const all = [
    { ...first, here: { version: '1', path: '/data/wind-farm/1' } },
    ...more,
    { name: 'x', state: 'not-granted', requested: true, here: null },
    { name: 'w', state: 'not-granted', waits: true, here: null },
    { name: 'r', state: 'not-granted', refused: true, here: null },
    { name: 'y', state: 'news', here: null }
  ] as Dataset[];
  expect(all.map(one => stateName(stateOf(one)))).toEqual([
    'In this session',
    'Available',
    'Terms to accept',
    'No access yet',
    'Retired',
    'Access requested',
    'Waits for the steward',
    'Access refused',
    'Not available'
  ]);
});

it('offers a request only where it would be taken', () => {
  const shut = { state: 'not-granted' } as const;
  const all = [
    entry('a', 'A', shut),
    entry('b', 'B', { ...shut, refused: true }),
    entry('c', 'C', { ...shut, requested: true, may_request: false }),
    entry('d', 'D', { ...shut, waits: true, may_request: false }),
    entry('e', 'E'),
    { name: 'of-an-older-hub', state: 'not-granted', requested: false, here: null } as Dataset,
    { name: 'asked-at-an-older-hub', state: 'not-granted', requested: true, here: null } as Dataset
  ];
  expect(all.map(mayRequest)).toEqual([true, true, false, false, false, true, false]);
});

it('says how much of a table is shown', () => {
  const rows = [['1'], ['2']];
  const table = { file: 'a.csv', columns: [], rows, more: false, total: null, more_columns: 0 };
  expect(extent(table)).toBe('2 rows.');
  expect(extent({ ...table, more: true, more_columns: 1 })).toBe('The first 2 rows. 1 more column is not shown.');
  expect(extent({ ...table, more: true, total: 8760 })).toBe('2 of 8,760 rows.');
});

it('names licences by their short names', () => {
  expect(licence('https://creativecommons.org/licenses/by-sa/4.0/')).toBe('CC BY-SA 4.0');
  expect(licence('https://creativecommons.org/publicdomain/zero/1.0/')).toBe('CC0 1.0');
  expect(licence('http://publications.europa.eu/resource/authority/licence/CC_BY_4_0')).toBe('CC BY 4.0');
  expect(licence('https://example.org/terms')).toBe('https://example.org/terms');
});

it('makes a link of nothing but an address of the web', () => {
  expect(['https://x.org', 'javascript:alert(1)', 'data:text/html,x', '', null].map(link)).toEqual([
    'https://x.org',
    null,
    null,
    null,
    null
  ]);
});

it('counts formats for people', () => {
  expect(formats({ csv: 3, '': 1, 'csv.gz': 12000 })).toBe('12,000 csv.gz, 3 csv, 1 without a suffix');
});

it('reads the version that is open, else the latest, else the last', () => {
  const versions = ['1', '2', '3'].map(version => ({ version }) as OfferedVersion);
  const dataset = entry('x', 'X', { versions, latest: '2' });
  expect(current({ ...dataset, here: { version: '1', path: '/data/x/1' } })?.version).toBe('1');
  expect(current(dataset)?.version).toBe('2');
  expect(current({ ...dataset, latest: 'gone' })?.version).toBe('3');
});

it('quotes names in the address of a page with terms', () => {
  expect(termsPage(told([], { project: 'a&b' }), 'x/../y')).toBe('/hub/datasets/x%2F..%2Fy?project=a%26b');
});
